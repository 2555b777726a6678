"""What other programs wrote: a log, through the command that people use, and a note."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sekisho.cli.main import call
from sekisho.model.errors import BadSignature
from sekisho.settings import Settings
from sekisho.signing.notes import Note, VerifierKey, verify_note

SETTINGS = Settings(home=Path("/nowhere"), trust_file=Path("/nowhere/trust.json"))


def fsck(folder: Path, checkpoint: Path, vkey: str, capsys: pytest.CaptureFixture[str]) -> Any:
    """Exit code and the document on stdout."""
    arguments = ["log", "fsck", str(folder), "--vkey", vkey, "--checkpoint", str(checkpoint)]
    code = call([*arguments, "--json"], SETTINGS)
    return code, json.loads(capsys.readouterr().out)


@pytest.mark.testdata
@pytest.mark.parametrize("size", range(8))
def test_public_log_passes_the_command_at_every_size(
    public_records: Path, capsys: pytest.CaptureFixture[str], size: int
) -> None:
    """`sekisho log fsck` holds for each checkpoint, names its size and the root on its third line."""
    folder = public_records / "log"
    checkpoint = folder / f"checkpoint.{size}"
    root = checkpoint.read_text(encoding="utf-8").split("\n")[2]
    answer = fsck(folder, checkpoint, str(folder / "log.vkey"), capsys)
    assert answer == (0, {"verdict": "holds", "size": size, "root": root, "faults": []})


@pytest.mark.testdata
def test_public_log_fails_the_command_under_another_checkpoints_text(
    public_records: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The root of size 6 under the signature of size 7 is nobody's checkpoint."""
    folder = public_records / "log"
    parts = [(folder / f"checkpoint.{size}").read_text().partition("\n\n") for size in (6, 7)]
    forged = tmp_path / "forged"
    forged.write_text(parts[0][0] + "\n\n" + parts[1][2])
    code, document = fsck(folder, forged, str(folder / "log.vkey"), capsys)
    assert (code, document["verdict"], document["size"]) == (1, "fails", None)


def test_note_that_another_program_signed_verifies() -> None:
    """The example of Go's sumdb/note package, from which signed-note grew: key id, text and signature verify."""
    key = VerifierKey.from_text(
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    )
    text = (
        "If you think cryptography is the answer to your problem,\n"
        "then you don't know what your problem is.\n"
    )
    line = (
        "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6Ryy"
        "BwJnAM=\n"
    )
    note = Note.from_bytes(f"{text}\n{line}".encode())
    (verified,) = verify_note(note, [key])
    assert (verified.key, verified.timestamp) == (key, None)
    changed = Note(text=text.replace("answer", "Answer"), signatures=note.signatures)
    with pytest.raises(BadSignature):
        verify_note(changed, [key])
