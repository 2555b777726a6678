"""A log of its own as a whole: its policy, what it says of its witnesses, and the way back after a lost database."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from sekisho.adapters.keys import load_or_create_key
from sekisho.adapters.storage import FileTileStore
from sekisho.adapters.storage.sqlite_log import SqliteLogStore
from sekisho.cli.main import call
from sekisho.intake import main as own_log
from sekisho.intake.gate import parse_gate
from sekisho.intake.main import LogPlan, Ready, run_log
from sekisho.ledger import Policy
from sekisho.ledger.publisher import Publisher
from sekisho.ledger.sequencer import Appended, RolledBack, Sequencer
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import parse_instant
from sekisho.model.statements import TimeMarked, make_payload
from sekisho.settings import Settings
from sekisho.signing import sign_payload
from sekisho.signing.notes import NoteSigner
from tests.factory import signer
from tests.intake.doors import WRITERS, envelope, gate
from tests.ledger.logs import LOG, ORIGIN, W1, policy_text

SETTINGS = Settings(home=Path("/nonexistent"), trust_file=Path("/nonexistent"))


def mark(_: bytes | None) -> bytes:
    """A real time mark, by the log."""
    at = parse_instant("2026-11-01T09:00:00Z")
    return sign_payload(make_payload(TimeMarked(effective=at)), [signer("log")]).raw


def write(folder: Path, database: Path, names: str) -> list[Appended]:
    """Open a log of its own, append an envelope of each name, publish, close."""
    with SqliteLogStore(database, origin=ORIGIN) as store:
        tiles = FileTileStore(folder)
        log = Sequencer(signer=LOG, store=store, tiles=tiles, mark=mark)
        log.recover()
        placed = [log.append_one(gate().judge(envelope(name))) for name in names]
        Publisher(
            sequencer=log,
            store=store,
            tiles=tiles,
            policy=Policy.of_log(LOG.verifier),
            witnesses={},
        ).publish()
    return placed


def lose(database: Path) -> None:
    for file in database.parent.glob(f"{database.name}*"):
        file.unlink()


def test_lost_database_of_a_log_of_its_own_is_rebuilt_and_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the refusal names works with the folder and the key: entries are known again, and new ones follow."""
    folder, database = tmp_path / "log", tmp_path / "log.sqlite"
    folder.mkdir()
    first = write(folder, database, "abc")
    lose(database)
    with pytest.raises(RolledBack, match="log rebuild"):
        write(folder, database, "a")
    arguments = ["log", "rebuild", str(folder), "--vkey", LOG.verifier.to_text(), "--json"]
    assert call(arguments, SETTINGS) == 0
    size = json.loads(capsys.readouterr().out)["size"]
    assert size == first[-1].index + 1
    again = write(folder, database, "abd")
    assert [place.fresh for place in again] == [False, False, True]
    assert [place.index for place in again[:2]] == [place.index for place in first[:2]]
    assert again[2].index >= size


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--vkey", LOG.verifier.to_text()], "DIR"),
        (["DIR"], "--vkey"),
        (["nowhere", "--vkey", LOG.verifier.to_text()], "nowhere"),
    ],
)
def test_rebuilding_says_what_it_misses(
    arguments: list[str], named: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder without a key, a key without a folder, no folder: bad input, by name."""
    given = [str(tmp_path) if word == "DIR" else word for word in arguments]
    assert call(["log", "rebuild", *given], SETTINGS) == 2
    assert named in capsys.readouterr().err


def plan(tmp_path: Path, policy: str | None) -> LogPlan:
    """A log to run whose key is drawn already; KEY in the policy stands for its verifier key."""
    key = NoteSigner(ORIGIN, load_or_create_key(tmp_path / "log.pem").private)
    text = None if policy is None else policy.replace("KEY", key.verifier.to_text())
    return LogPlan(
        origin=ORIGIN,
        folder=tmp_path / "log",
        key=tmp_path / "log.pem",
        gate=gate(),
        database=str(tmp_path / "log.sqlite"),
        policy=None if text is None else Policy.from_text(text),
    )


def test_policy_of_another_log_is_refused_at_the_start(tmp_path: Path) -> None:
    """It would never let a checkpoint out, so the log does not start, and says how the policy begins."""
    with pytest.raises(InvalidInput, match="no key of this log") as caught:
        run_log(plan(tmp_path, policy_text()), lambda _: None)
    assert f"log {ORIGIN}+" in caught.value.remedy


def test_address_that_is_not_of_this_machine_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """What cannot be bound is the address, and the message does not blame the port alone."""
    assert call(["log", "serve", "/", "--bind", "192.0.2.1"], SETTINGS) == 4
    assert "192.0.2.1" in capsys.readouterr().err


def test_witness_that_is_away_is_told_of_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A log whose checkpoints wait for a witness says so, once for each change, and not only in silence."""
    told, over = list[Mapping[str, str]](), threading.Event()
    monkeypatch.setattr(own_log, "LOOK_S", 0.02)
    monkeypatch.setattr(own_log, "_serve", lambda *_: over.wait(20))

    def heard(problems: Mapping[str, str]) -> None:
        told.append(dict(problems))
        over.set()

    lines = f"log KEY\nwitness w1 {W1.verifier.to_text()} http://127.0.0.1:1\nquorum w1\n"
    ready = list[Ready]()
    began = time.monotonic()
    run_log(plan(tmp_path, lines), ready.append, heard)
    assert time.monotonic() - began < 15
    assert len(ready) == 1
    assert list(told[0]) == ["w1"]
    assert "127.0.0.1:1" in told[0]["w1"]


def test_gate_that_nobody_passes_names_its_file_and_the_remedy() -> None:
    """A quorum above the number of distinct keys, one key listed twice among them."""
    public = WRITERS[0].public.to_text()
    raw = json.dumps({"keys": [public, public], "quorum": 2}).encode()
    with pytest.raises(InvalidInput, match="2 of 1 distinct") as caught:
        parse_gate(raw, path="gate.json")
    assert caught.value.path == "gate.json.quorum"
    assert caught.value.remedy
