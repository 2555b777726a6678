"""`sekisho registry capture`, `endorse`, `events`, `check`, `rebuild`, `terms`: a firm's documents, end to end."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from sekisho.adapters.keys import load_or_create_key
from sekisho.app import Control, Home
from sekisho.cli import main
from sekisho.model.wire import canonical, sha256_hex
from sekisho.settings import Settings
from sekisho.signing.phrase import digest_phrase
from tests.capturing import (
    chip,
    commissioned,
    document,
    endorsed,
    enrolled,
    received,
    shipped,
)
from tests.factory import AUTHORITY, ORIGIN
from tests.regime import live_regime
from tests.web.serving import serving

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def firm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a founded home that nobody serves, and the keys of two parties."""
    folder = tmp_path_factory.mktemp("firm")
    with live_regime(folder) as regime:
        for party in ("maker", "dist"):
            key = load_or_create_key(folder / f"{party}.pem")
            regime.submit(enrolled(party, key), AUTHORITY[0])
    return folder


class Line:
    """The command line of somebody in that folder."""

    def __init__(self, folder: Path, tmp_path: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder, self.tmp_path, self._patch = folder, tmp_path, patch
        self.home = folder / "home"
        self.trust = tmp_path / "trust.json"

    def call(self, *arguments: str | Path, typed: str = "") -> int:
        self._patch.setattr("sys.stdin", io.StringIO(typed))
        settings = Settings(home=self.home, trust_file=self.trust)
        return main.call(["registry", *(str(a) for a in arguments)], settings)

    def answer(
        self, capsys: Capture, *arguments: str | Path, code: int = 0, typed: str = ""
    ) -> Any:
        capsys.readouterr()
        assert self.call(*arguments, "--json", typed=typed) == code
        return json.loads(capsys.readouterr().out)

    def write(self, name: str, *events: dict[str, Any]) -> Path:
        path = self.tmp_path / name
        path.write_bytes(document(*events))
        return path

    def key(self, party: str) -> Path:
        return self.folder / f"{party}.pem"


@pytest.fixture
def line(firm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Line:
    return Line(firm, tmp_path, monkeypatch)


_numbers = iter(range(5_000, 10**6))


@pytest.fixture
def one() -> str:
    return f"{chip(next(_numbers))}-cli"


def test_documents_are_handed_in_to_a_home_that_nobody_serves(
    line: Line, one: str, capsys: Capture
) -> None:
    """Endorsed with a key, or with the file beside them; one row for each file."""
    made = line.write("made.json", commissioned(one))
    sent = line.write("sent.json", shipped("maker", "dist", one))
    rows = line.answer(
        capsys, "capture", made, sent, "--key", line.key("maker"), "--as", "maker", "--yes"
    )
    assert [(row["taken"], row["parties"], row["signed"]) for row in rows] == [
        (1, ["maker"], True)
    ] * 2
    got = line.write("got.json", received("dist", one))
    phrase = digest_phrase(sha256_hex(got.read_bytes()))
    told = line.answer(
        capsys, "endorse", got, "--key", line.key("dist"), "--home", line.home, "--phrase", phrase
    )
    assert (told["log"], told["signatures"], told["phrase"]) == (ORIGIN, 1, phrase)
    (row,) = line.answer(capsys, "capture", got)
    assert (row["taken"], row["parties"]) == (1, ["dist"])
    events = line.answer(capsys, "events", "--epc", one)["events"]
    assert [event["event"]["bizStep"] for event in events] == [
        "commissioning",
        "shipping",
        "receiving",
    ]
    assert {event["outcome"] for event in events} == {"taken"}


def test_a_home_that_runs_is_spoken_to(line: Line, one: str, capsys: Capture) -> None:
    """By the address that it noted; and by --url, where the log is one that is trusted."""
    home = Home.open(line.home)
    with Control(home, {}) as control, serving(control) as address:
        home.save_address(address)
        try:
            path = line.write("made.json", commissioned(one))
            (row,) = line.answer(capsys, "capture", path, "--key", line.key("maker"), "--yes")
            assert (row["taken"], row["parties"]) == (1, ["maker"])
            sent = line.write("sent.json", shipped("maker", "dist", one))
            line.home = line.tmp_path / "elsewhere"  # a firm has no home of the regime
            named = ("capture", sent, "--url", address, "--key", line.key("maker"), "--yes")
            (row,) = line.answer(capsys, *named, code=1)
            assert "not one that you trust" in row["error"]
            line.trust.write_bytes(canonical([home.load_root()]))
            (row,) = line.answer(capsys, *named)
            assert row["taken"] == 1
            found = line.answer(capsys, "events", "--epc", one, "--url", address)["events"]
            beside = line.answer(capsys, "events", "--epc", one, "--home", home.path)["events"]
            assert [event["number"] for event in found] == [event["number"] for event in beside]
            assert [event["parties"] for event in found] == [["maker"], ["maker"]]
        finally:
            home.forget_address()


def test_a_stale_address_is_no_obstacle(line: Line, one: str, capsys: Capture) -> None:
    """The server was killed and left its note: the home is opened."""
    home = Home.open(line.home)
    home.save_address("http://127.0.0.1:9")
    try:
        path = line.write("made.json", commissioned(one))
        (row,) = line.answer(capsys, "capture", path, code=3)  # nobody signed: no effect
        assert (row["taken"], row["signed"]) == (1, False)
    finally:
        home.forget_address()


def test_the_worst_row_speaks_for_all(line: Line, one: str, capsys: Capture) -> None:
    """2 for what cannot be read, before 1 for a refusal, before 3 for what waits."""
    waits = line.write("waits.json", received("dist", f"{one}-early"))
    refused = line.write("refused.json", commissioned(one, maker="dist"))
    unread = line.tmp_path / "unread.json"
    unread.write_bytes(b"{")
    partly = line.write("partly.json", {"type": "ObjectEvent"})
    sign = ("--key", line.key("dist"), "--yes")
    assert line.answer(capsys, "capture", waits, *sign, code=3)[0]["waiting"] == 1
    rows = line.answer(
        capsys, "capture", waits, refused, "--key", line.key("maker"), "--yes", code=1
    )
    assert rows[1]["refused"] == 1
    rows = line.answer(capsys, "capture", unread, waits, partly, *sign, code=2)
    assert set(rows[0]) == {"file", "error"}
    assert rows[1]["waiting"] == 1
    assert rows[2]["problems"]


def test_nobody_signs_blind(line: Line, one: str, capsys: Capture) -> None:
    """What is signed is shown first; without the phrase, or without a yes, nothing is signed."""
    path = line.write("made.json", commissioned(one, f"{one}-b"), shipped("maker", "dist", one))
    capsys.readouterr()
    assert line.call("endorse", path, "--key", line.key("maker"), "--home", line.home) == 1
    shown = capsys.readouterr().err
    assert "2 events about 2 chips" in shown
    assert "commissioning/active 1" in shown
    assert digest_phrase(sha256_hex(path.read_bytes())) in shown
    assert not Path(f"{path}.endorsement").exists()
    (row,) = line.answer(capsys, "capture", path, "--key", line.key("maker"), code=1, typed="n\n")
    assert set(row) == {"file", "error"}
    (row,) = line.answer(capsys, "capture", path, "--key", line.key("maker"), typed="y\n")
    assert row["parties"] == ["maker"]


def test_a_second_signer_adds_to_the_file(line: Line, one: str, capsys: Capture) -> None:
    """Both vouch for the document then."""
    path = line.write("both.json", commissioned(one, maker="maker"))
    phrase = digest_phrase(sha256_hex(path.read_bytes()))
    for count, party in enumerate(("maker", "dist"), 1):
        told = line.answer(
            capsys,
            "endorse",
            path,
            "--key",
            line.key(party),
            "--home",
            line.home,
            "--phrase",
            phrase,
        )
        assert told["signatures"] == count
    (row,) = line.answer(capsys, "capture", path)
    assert row["parties"] == ["dist", "maker"]


def test_an_endorsement_of_another_document_is_not_sent(
    line: Line, one: str, capsys: Capture
) -> None:
    """The file was changed after it was endorsed."""
    path = line.write("changed.json", commissioned(one))
    Path(f"{path}.endorsement").write_bytes(endorsed(b"before", "maker") or b"")
    (row,) = line.answer(capsys, "capture", path, code=1)
    assert "endorses another document" in row["error"]


def test_a_key_that_is_not_the_partys_is_told(line: Line, one: str, capsys: Capture) -> None:
    """--as says whose word it is to be."""
    path = line.write("made.json", commissioned(one))
    (row,) = line.answer(
        capsys, "capture", path, "--key", line.key("dist"), "--as", "maker", "--yes", code=1
    )
    assert (row["parties"], "not on the word of maker" in row["error"]) == (["dist"], True)


def test_a_register_is_checked_and_made_again(line: Line, one: str, capsys: Capture) -> None:
    """Holds before and after; a home that is served says so."""
    line.answer(capsys, "capture", line.write("made.json", commissioned(one)), code=3)
    before = line.answer(capsys, "check")
    assert (before["verdict"], before["differences"]) == ("holds", 0)
    made = line.answer(capsys, "rebuild")
    assert made["events"] == before["events"]
    assert line.answer(capsys, "check") == before
    with Control(Home.open(line.home), {}):
        assert line.answer(capsys, "check", code=1)["error"]["code"] == "state-conflict"


def test_terms_are_shown_and_written_once(line: Line, capsys: Capture, tmp_path: Path) -> None:
    """The defaults, then a first file with places, then never over it; and the register reads it."""
    home = tmp_path / "another"
    home.mkdir()
    assert line.answer(capsys, "terms", "--home", home)["places"] == []
    places = ("--place", "fab=TW:maker", "--place", "hall=JP")
    told = line.answer(capsys, "terms", "--home", home, "--write", *places)
    assert [place["place"] for place in told["places"]] == ["fab", "hall"]
    assert line.answer(capsys, "terms", "--home", home) == told
    line.answer(capsys, "terms", "--home", home, "--write", code=1)
    line.answer(capsys, "terms", "--home", tmp_path / "third", "--place", "x=JP", code=2)
    line.answer(capsys, "terms", "--home", tmp_path, "--write", "--place", "nowhere", code=2)


def test_words_for_a_person_name_what_happened(line: Line, one: str, capsys: Capture) -> None:
    """One line for each file, in words."""
    capsys.readouterr()
    assert line.call("capture", line.write("made.json", commissioned(one))) == 3
    told = capsys.readouterr().out
    assert "1 events, 1 taken" in told
    assert "unsigned: kept as seen, it moves nothing" in told
    assert line.call("events", "--epc", one) == 0
    told = capsys.readouterr().out
    assert "seen, moves nothing; unsigned" in told
    assert "in effect" not in told
    assert line.call("check") == 0
    assert "holds" in capsys.readouterr().out
