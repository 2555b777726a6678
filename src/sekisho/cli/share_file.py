"""An opened share as a file that one verifier hands to another, over a channel that nobody else reads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

from sekisho.model.errors import InvalidInput
from sekisho.model.statements.shapes import Digest, Name
from sekisho.model.wire import canonical, decode_hex, from_json, parse_canonical

if TYPE_CHECKING:
    from sekisho.signing.deposit import OpenedShare

__all__ = ["format_share", "load_share"]

_Share = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}(?!\n)$")]
_Number = Annotated[int, msgspec.Meta(ge=1, le=64)]


class _ShareFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    format: Literal["sekisho-opened-share/v1"] = "sekisho-opened-share/v1"
    log: Name
    statement: Digest
    number: _Number
    share: _Share


def format_share(opened: OpenedShare, log: str) -> bytes:
    """The file's bytes, canonical."""
    return canonical(
        _ShareFile(
            log=log, statement=opened.statement, number=opened.number, share=opened.share.hex()
        )
    )


def load_share(file: str, log: str) -> OpenedShare:
    """Read a share for a deposit in a log. Raises InvalidInput naming the file; what is in it is never quoted."""
    from sekisho.ceremony import load_secret_file
    from sekisho.signing.deposit import OpenedShare

    data = load_secret_file(Path(file))
    try:
        held = from_json(_ShareFile, parse_canonical(data))
    except InvalidInput as error:
        where = error.path or "the file"
        raise InvalidInput(f"is no opened share: {where} is not as it must be", path=file) from None
    if held.log != log:
        raise InvalidInput(f"is a share of log {held.log}, not of {log}", path=file)
    share = decode_hex(held.share, size=16, path=file)
    return OpenedShare(statement=held.statement, number=held.number, share=share)
