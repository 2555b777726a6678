"""The signature under a backup: the log's own key over the digest of `backup.json`, which names every other file.

Whoever can write to the place where backups lie can make digests fit; without the log's key nobody can make this one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sekisho.adapters.durable_files import replace_file
from sekisho.adapters.storage import FileTileStore
from sekisho.app.home import Home
from sekisho.model.errors import Corrupt, InvalidInput, VerificationError
from sekisho.model.wire import sha256_hex
from sekisho.operations.reading import policy_of, read_state
from sekisho.signing import TrustRoot, current_root
from sekisho.signing.notes import MAX_NOTE_BYTES, Note, VerifierKey, verify_note

__all__ = ["SIGNATURE", "sign_backup", "verify_backup"]

SIGNATURE: Final = "backup.sig"
# Two lines, the first of them no log's origin: nobody takes it for a checkpoint.
_TEXT: Final = "sekisho-backup/v1\n{digest}\n"


def sign_backup(folder: Path, manifest: bytes, home: Home, origin: str) -> None:
    """Sign with the log's key, and with the one that follows it while it changes. A crash before: no whole backup."""
    text = _TEXT.format(digest=sha256_hex(manifest))
    signers = (home.log_signer(origin)[0], *home.next_log_signers(origin))
    note = Note(text=text, signatures=tuple(signer.sign(text) for signer in signers))
    replace_file(folder / SIGNATURE, note.to_bytes())


def verify_backup(folder: Path, manifest: bytes, root: TrustRoot) -> None:
    """The manifest is the one that the log's key signed, by `root` and the charters that follow it in the backup's log.

    Raises Corrupt where it is not, InvalidInput where there is no signature.
    """
    path = folder / SIGNATURE
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_NOTE_BYTES + 1)
    except OSError as error:
        raise InvalidInput(
            f"the backup is not signed: {error.strerror}", path=str(path), remedy="name another"
        ) from None
    try:
        note = Note.from_bytes(raw, path=str(path))
        is_of_this = note.text == _TEXT.format(digest=sha256_hex(manifest))
        if is_of_this and not _is_signed(note, root):
            state, _ = read_state(FileTileStore(folder / "log"), root)
            verify_note(note, _keys_of(current_root(root, state.regime)))
    except (InvalidInput, VerificationError):
        is_of_this = False
    if not is_of_this:
        raise Corrupt(
            f"{path} is not the log's signature under this backup: somebody changed it",
            remedy="take none of it; restore another backup",
        )


def _is_signed(note: Note, root: TrustRoot) -> bool:
    try:
        verify_note(note, _keys_of(root))
    except VerificationError:
        return False
    return True


def _keys_of(root: TrustRoot) -> list[VerifierKey]:
    return [VerifierKey.from_text(root.log, path="log"), *policy_of(root).logs]
