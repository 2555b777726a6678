"""The bad input of the log's readers, each by name, through the three commands that people read logs with."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from sekisho.cli.main import call
from sekisho.ledger import Checkpoint, sign_checkpoint
from sekisho.settings import Settings
from sekisho.signing.notes import NoteSigner
from tests.ledger.forks import entries_of, write_log
from tests.ledger.logs import LOG, ORIGIN, policy_text, private_key, signed

SETTINGS = Settings(home=Path("/nonexistent"), trust_file=Path("/nonexistent"))
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def change_file(path: str, change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    """A fault: these bytes of the log's folder, changed."""

    def apply(folder: Path) -> None:
        (folder / path).write_bytes(change((folder / path).read_bytes()))

    return apply


def respell(note: str, line: int) -> str:
    """A note's text with the same base64 value in another spelling: unused bits of the last character set."""
    lines = note.rpartition("\n\n")[0].split("\n")
    value = lines[line].rstrip("=")
    changed = value[:-1] + ALPHABET[ALPHABET.index(value[-1]) + 1]
    lines[line] = changed + "=" * (len(lines[line]) - len(value))
    return "\n".join(lines) + "\n"


def sign_text(folder: Path, text: str) -> None:
    """A checkpoint of any text, signed by the log as it stands."""
    (folder / "checkpoint").write_text(f"{text}\n{LOG.sign(text).to_line()}")


def sign_root(folder: Path, size: int, root: bytes) -> None:
    (folder / "checkpoint").write_bytes(signed(size, root).to_bytes())


def sign_by_stranger(folder: Path) -> None:
    checkpoint = Checkpoint(origin=ORIGIN, size=600, root=bytes(32))
    stranger = NoteSigner(ORIGIN, private_key("stranger"))
    (folder / "checkpoint").write_bytes(sign_checkpoint(checkpoint, stranger).to_bytes())


# name -> (what is done to a log of 600 entries, the file that the message names, part of its remedy)
FAULTS: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "truncated tile": (
        change_file("tile/0/001", lambda data: data[:-5]),
        "tile/0/001",
        "another copy",
    ),
    "oversized tile": (
        change_file("tile/0/001", lambda data: data + bytes(32)),
        "tile/0/001",
        "another copy",
    ),
    "truncated partial tile": (
        change_file("tile/1/000.p/2", lambda data: data[:-1]),
        "tile/1/000.p/2",
        "another copy",
    ),
    "truncated bundle": (
        change_file("tile/entries/001", lambda data: data[:-1]),
        "tile/entries/001",
        "another copy",
    ),
    "oversized bundle": (
        change_file("tile/entries/002.p/88", lambda data: data + b"\0\1x"),
        "tile/entries/002.p/88",
        "another copy",
    ),
    "wrong vkey": (sign_by_stranger, "checkpoint", "this log's own key"),
    "note without blank line": (
        change_file("checkpoint", lambda data: data.replace(b"\n\n", b"\n")),
        "checkpoint",
        "fetch the note again",
    ),
    "non-canonical base64 of the root": (
        lambda folder: sign_text(folder, respell((folder / "checkpoint").read_text(), 2)),
        "checkpoint line 3",
        "whole and unchanged",
    ),
    "non-canonical base64 of a signature": (
        change_file("checkpoint", lambda data: data.replace(b"=\n", b"==\n", 2)),
        "checkpoint",
        "whole and unchanged",
    ),
    "size 0 with another root than SHA-256 of nothing": (
        lambda folder: sign_root(folder, 0, bytes(32)),
        "checkpoint line 3",
        "no tree has this root",
    ),
    "root that is not 32 bytes": (
        lambda folder: sign_text(folder, f"{ORIGIN}\n600\nAAAA\n"),
        "checkpoint line 3",
        "fetch the checkpoint again",
    ),
    "size with a leading zero": (
        lambda folder: sign_text(folder, f"{ORIGIN}\n0600\n{'A' * 43}=\n"),
        "checkpoint line 2",
        "",
    ),
}
COMMANDS = {
    "fsck": ["log", "fsck", "{log}"],
    "mirror": ["log", "mirror", "{log}", "{copy}"],
    "monitor": ["log", "monitor", "{log}", "--state", "{state}", "--once", "--whole"],
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("fault", FAULTS)
def test_fault_is_told_with_file_and_remedy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], fault: str, command: str
) -> None:
    """No command passes it, dies of it or stores it as good; each names the file and what to do."""
    apply, file, remedy = FAULTS[fault]
    write_log(tmp_path / "log", entries_of(600))
    apply(tmp_path / "log")
    places = {name: str(tmp_path / name) for name in ("log", "copy", "state")}
    arguments = [part.format(**places) for part in COMMANDS[command]]
    code = call([*arguments, "--vkey", LOG.verifier.to_text()], SETTINGS)
    said = capsys.readouterr()
    told = said.out + said.err
    assert code in (1, 2), told
    assert file in told
    assert remedy in told
    assert "Traceback" not in told
    assert not (tmp_path / "copy" / "checkpoint").exists()


@pytest.mark.parametrize("command", ["mirror", "monitor"])
def test_size_going_down_is_told_with_both_sizes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    """The log showed 600 entries and now shows 300: exit 1, and what was larger is kept."""
    write_log(tmp_path / "log", entries_of(600))
    places = {name: str(tmp_path / name) for name in ("log", "copy", "state")}
    arguments = [part.format(**places) for part in COMMANDS[command]]
    arguments += ["--vkey", LOG.verifier.to_text()]
    assert call(arguments, SETTINGS) == 0
    write_log(tmp_path / "log", entries_of(300))
    capsys.readouterr()
    assert call(arguments, SETTINGS) == 1
    said = capsys.readouterr()
    assert "600" in said.out + said.err
    assert "300" in said.out + said.err


def test_without_key_or_policy_and_with_both_is_bad_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody guesses whose log it is."""
    write_log(tmp_path / "log", entries_of(3))
    policy = tmp_path / "policy"
    policy.write_text(f"log {LOG.verifier.to_text()}\nquorum none\n")
    key = ["--vkey", LOG.verifier.to_text()]
    arguments = ["log", "mirror", str(tmp_path / "log"), str(tmp_path / "copy")]
    for more in ([], [*key, "--policy", str(policy)]):
        assert call([*arguments, *more], SETTINGS) == 2
        assert "--policy" in capsys.readouterr().err
    assert call([*arguments, "--policy", str(policy)], SETTINGS) == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["log", "mirror", "{tmp}/nothing", "{tmp}/copy", "{key}"],
        ["log", "mirror", "http://example.org/log", "{tmp}/copy", "{key}"],
        ["log", "mirror", "{tmp}/log", "{tmp}/log", "{key}"],
        ["log", "mirror", "{tmp}/log", "{tmp}/copy", "--vkey=nonsense"],
        ["log", "mirror", "{tmp}/log", "{tmp}/copy", "{key}", "--workers=0"],
        ["log", "monitor", "{tmp}/nothing", "--state={tmp}/state", "{key}"],
        ["log", "monitor", "{tmp}/log", "--state={tmp}/state", "{key}", "--every=0"],
        ["log", "monitor", "{tmp}/log", "--state={tmp}/state", "{key}", "--stale=soon"],
        ["log", "serve", "{tmp}/nothing"],
        ["log", "check-evidence", "{tmp}/log/checkpoint", "{key}"],
        ["log", "witness"],
        ["log", "witness", "--state={tmp}/w", "--log=nonsense"],
        ["log", "witness", "rotate", "--state={tmp}/w"],
    ],
)
def test_command_that_cannot_begin_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    """Exit 2, in words, before anything is written."""
    write_log(tmp_path / "log", entries_of(3))
    values = {"tmp": str(tmp_path), "key": f"--vkey={LOG.verifier.to_text()}"}
    code = call([part.format(**values) for part in arguments], SETTINGS)
    said = capsys.readouterr()
    assert code == 2 or "Usage" in said.out + said.err
    assert said.out + said.err
    assert not (tmp_path / "copy" / "checkpoint").exists()


def test_json_lines_of_the_monitor_are_one_document_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A script reads round by round; a bar or a word between them would break it."""
    write_log(tmp_path / "log", entries_of(3))
    arguments = ["log", "monitor", str(tmp_path / "log"), "--state", str(tmp_path / "state")]
    arguments += ["--once", "--json", "--vkey", LOG.verifier.to_text()]
    for _ in range(2):
        assert call(arguments, SETTINGS) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["size"] for line in lines] == ["3", "3"]
    assert all(line.isascii() for line in lines)


@pytest.mark.parametrize("given", ["nolog", "a public key", "a policy"])
def test_what_is_no_verifier_key_is_named_with_where_one_comes_from(
    given: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A word, a PEM file or a policy behind --vkey: bad input that says how a verifier key is made."""
    file = tmp_path / "given"
    texts = {"a public key": "-----BEGIN PUBLIC KEY-----\nAA+A+A\n", "a policy": policy_text()}
    file.write_text(texts.get(given, ""))
    vkey = given if given not in texts else str(file)
    assert call(["log", "fsck", str(tmp_path), "--vkey", vkey], SETTINGS) == 2
    told = capsys.readouterr().err
    assert "--vkey" in told
    assert "is no verifier key" in told
    assert "sekisho key show" in told
