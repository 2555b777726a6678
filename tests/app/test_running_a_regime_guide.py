"""The restore drill of docs/guide/running-a-regime.md, followed to the letter; and what its tables promise."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from contextlib import ExitStack
from pathlib import Path

import pytest

from sekisho.app import Control, Home, export_home_bundle
from sekisho.cli import main
from sekisho.model.statements import PartyEnrolled
from sekisho.operations.log_events import SEVERITIES
from sekisho.settings import Settings
from sekisho.signing import sign_payload
from tests.factory import AUTHORITY, signed, signer
from tests.regime import WITNESSES, LiveRegime, live_regime

PAGE = Path(__file__).parents[2] / "docs" / "guide" / "running-a-regime.md"
AUDITED = {0, 3}  # the test's two witnesses have one owner, which is unverifiable; nothing fails
PRINTED = ("http://127.0.0.1:9101", "http://127.0.0.1:9102")


def commands(section: str) -> list[str]:
    """The commands below one heading of the page, up to the next of its height."""
    text = PAGE.read_text("utf-8").split(f"\n## {section}\n")[1].split("\n## ")[0]
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return [line for block in blocks for line in block.splitlines() if line]


class HostOperator:
    """Whoever types the page's commands; the machine that is lost takes its control plane along."""

    def __init__(self, folder: Path, regime: LiveRegime, stack: ExitStack) -> None:
        self.folder = folder
        self.regime = regime
        self.control = regime.control
        self._stack = stack
        (folder / "passphrase").write_text("six random words are better\n")
        shutil.copy(folder / "home" / "trust.json", folder / "root.json")
        key = self.control.home.log_signer(self.control.desk.origin)[0]
        (folder / "log.vkey").write_text(key.verifier.to_text())

    def enrol(self, name: str) -> None:
        """Business goes on."""
        fact = PartyEnrolled(
            effective=self.regime.now,
            party=name,
            public=signer(name).public.to_text(),
            organisation=name,
            country="JP",
        )
        admitted = self.control.submit(signed(fact, AUTHORITY[0]).raw)
        self.control.publisher.wait_witnessed(admitted.index, 10)

    def follow(self, line: str) -> None:
        """Type one line."""
        for printed, real in zip(PRINTED, self.regime.witnesses, strict=True):
            line = line.replace(printed, real)
        words = shlex.split(line)
        expected = 0
        if words[-2:] == ["||", "true"]:
            words, expected = words[:-2], 1
        if words[0] == "rm":
            self.lose_machine()
        elif words[:2] == ["sekisho", "up"]:
            self.start()
        elif words[2] == "sign":
            return  # the key holders' part: what is handed in below carries their keys
        elif words[2] == "issue":
            self.issue(words[3])
        else:
            if words[1:3] == ["licence", "close"]:
                self.control.__exit__()
            if words[1:3] == ["log", "mirror"]:
                self.enrol("party-after-backup")
            settings = Settings(
                home=self.folder / "no-home", trust_file=self.folder / "no-trust.json"
            )
            code = main.call(words[1:], settings)
            assert code in (AUDITED if words[1] == "audit" else {expected}), line

    def issue(self, file: str) -> None:
        """A draft of the page, signed by those whose power it takes, handed in and witnessed."""
        keys = AUTHORITY[:2] if file == "revoke.json" else (AUTHORITY[0], self.regime.operator)
        envelope = sign_payload((self.folder / file).read_bytes(), list(keys))
        admitted = self.control.submit(envelope.raw)
        self.control.publisher.wait_witnessed(admitted.index, 10)

    def lose_machine(self) -> None:
        self.control.__exit__()
        shutil.rmtree(self.folder / "home")

    def start(self) -> None:
        home = Home.open(self.folder / "home")
        addresses = dict(zip(WITNESSES, self.regime.witnesses, strict=True))
        self.control = self._stack.enter_context(Control(home, addresses))
        self.enrol("party-after-restore")


def test_the_restore_drill_runs_to_the_letter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Backup, loss, refusal of the older backup, replay from the mirror, start: the log goes on and its audit holds."""
    monkeypatch.chdir(tmp_path)
    with live_regime(tmp_path) as regime, ExitStack() as stack:
        operator = HostOperator(tmp_path, regime, stack)
        for line in commands("Backup and restore"):
            operator.follow(line)
        parties = operator.control.desk.state.regime.parties
        assert {"party-after-backup", "party-after-restore"} <= parties.keys()
        kinds = [json.loads(line)["kind"] for line in Path("events.jsonl").read_text().splitlines()]
        assert kinds.count("party-enrolled") == 3
        export_home_bundle(operator.control.home, tmp_path / "bundle")
        operator.follow("sekisho audit bundle --policy root.json --json || true")


def test_leaving_the_regime_to_the_letter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Licence ended and closed, host retired, last bundle: with the home destroyed it still audits as it did."""
    monkeypatch.chdir(tmp_path)
    with live_regime(tmp_path) as regime, ExitStack() as stack:
        operator = HostOperator(tmp_path, regime, stack)
        for line in commands("Leaving the regime"):
            operator.follow(line.replace("sekisho audit last", "sekisho audit last --json"))
        assert "host-1" not in operator.control.desk.state.regime.hosts
        operator.lose_machine()
        operator.follow("sekisho audit last --policy root.json --json || true")


def test_the_table_of_severities_is_the_code_s() -> None:
    """Each kind that the page names stands at the severity that the code gives it, and none of the grave ones lacks."""
    rows = re.findall(
        r"^\| (alert|critical|error|warning) \| ((?:`[a-z-]+` ?)+) \|",
        PAGE.read_text(),
        re.MULTILINE,
    )
    told = {kind: row[0] for row in rows for kind in re.findall(r"`([a-z-]+)`", row[1])}
    grave = {kind: s for kind, s in SEVERITIES.items() if s not in {"info", "notice"}}
    assert told == grave
