"""The commands of docs/guide/keys.md and docs/guide/charter.md, as they stand there, in their order."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from sekisho.adapters.keys import load_key
from sekisho.model.statements import CharterAdopted
from sekisho.operations.state import start_state
from sekisho.rehearsal.paper_log import PaperLog, PaperWitness
from sekisho.signing import parse_policy
from sekisho.signing.notes import NoteSigner
from tests import factory
from tests.cli.ceremonies import KeyHolder
from tests.cli.governing import DAY_S, PlainFolder, control_plane
from tests.factory_bundle import Cast
from tests.softhsm import softhsm

GUIDES = Path(__file__).parents[2] / "docs" / "guide"
CONTROL = "http://127.0.0.1:8750"
PIN, SECRET = "5678", "correct horse"


def commands(page: str) -> list[str]:
    text = (GUIDES / page).read_text("utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return [line for block in blocks for line in block.splitlines() if line]


class Reader(KeyHolder):
    """Somebody who types the commands of a page; answers what they are asked; the log grows by what they hand in."""

    def __init__(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.folder = folder
        self.cast = Cast()
        self.language = "en"
        self.pkcs11_lib = ""
        self._monkeypatch = monkeypatch
        self._capsys = capsys
        self.paper: PaperLog | None = None
        monkeypatch.chdir(folder)
        monkeypatch.setattr("typer.prompt", self._answer)
        self.set_clock(factory.NOW)

    def follow(self, line: str) -> None:
        """Type one line of the page."""
        words = shlex.split(line)
        if words[0] == "export":
            self.pkcs11_lib = softhsm().library
        elif words[0] != "sekisho":
            self._run_tool(words)
        elif words[-2:] == ["||", "true"]:
            assert self.call(*words[1:-2]) == 1, line
        else:
            self._sekisho(words[1:], line)

    def _sekisho(self, words: list[str], line: str) -> None:
        if words[:3] == ["charter", "recover", "adopt"]:
            self._wait(14 * DAY_S)
        if CONTROL not in words:
            assert self.call(*words) == 0, f"{line}: {self._capsys.readouterr().err}"
            return
        with control_plane() as (url, sent):
            assert self.call(*[url if w == CONTROL else w for w in words]) == 0, line
        assert len(sent) == 1
        self._enter(sent[0])

    def _run_tool(self, words: list[str]) -> None:
        subprocess.run(words, check=True, capture_output=True, timeout=30)
        if words[0] == "softhsm2-util":  # the library lists its tokens when it begins
            import pkcs11

            pkcs11.lib(self.pkcs11_lib).reinitialize()

    def _answer(self, question: str, **_: object) -> str:
        if "phrase to sign" not in question:
            return PIN if "PIN" in question else SECRET
        page = self._capsys.readouterr()
        return " ".join(
            [x for x in (page.out + page.err).splitlines() if "digest phrase" in x][-1].split()[-8:]
        )

    def _enter(self, raw: bytes) -> None:
        if self.paper is None:
            self._open_log()
        assert self.paper is not None
        self.paper.append(raw, self.now)
        self._wait(3_600)

    def _open_log(self) -> None:
        names = {"witness-1": "one.example", "witness-2": "two.example"}
        witnesses = [
            PaperWitness(NoteSigner.cosigner(name, load_key(Path(f"{file}.pem")).private))
            for file, name in names.items()
        ]
        store = PlainFolder(self.folder / "log")
        self.paper = PaperLog(load_key(Path("log.pem")), "log.example/guide", witnesses, store)
        self.paper.open(start_state(parse_policy(Path("root.json").read_bytes())))

    def _wait(self, seconds: float) -> None:
        assert self.paper is not None
        for step in (
            seconds,
            60,
        ):  # the log quotes the tree before, so a second one shows the first
            self.set_clock(self.now.plus(step))
            self.paper.pass_time(self.now)
        self.paper.publish()


def test_every_command_of_the_charters_guide_runs_in_its_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """From the first key to the recovered charter; whoever signs types the phrase of the page that they saw."""
    reader = Reader(tmp_path, monkeypatch, capsys)
    for line in commands("charter.md"):
        reader.follow(line)
    assert reader.paper is not None
    assert reader.paper.state is not None
    terms = reader.paper.state.regime.in_force().terms
    assert isinstance(terms, CharterAdopted)
    assert (terms.version, terms.recovers is not None) == (4, True)


@pytest.mark.hsm
def test_every_command_of_the_keys_guide_runs_in_its_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """File, token and OpenSSL sign one charter, and it is quorate."""
    softhsm()
    reader = Reader(tmp_path, monkeypatch, capsys)
    for line in commands("keys.md"):
        reader.follow(line)
    capsys.readouterr()
    assert reader.call("charter", "adopt", "charter.json") == 0
    assert "quorum of version 1 has signed" in capsys.readouterr().out
