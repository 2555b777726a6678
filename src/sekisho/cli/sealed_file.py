"""`F.sealed.json`: what a sealed order conceals, beside its draft or envelope F, for its signers' eyes alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import msgspec

from sekisho.model.errors import InvalidInput, StateConflict
from sekisho.model.statements.shapes import Digest
from sekisho.model.wire import canonical, from_json, parse_canonical

if TYPE_CHECKING:
    from sekisho.cli.documents import Document
    from sekisho.cli.words import View

__all__ = ["beside", "load_sealed", "require_sealed", "see_inside", "write_sealed"]

_MAX: Final = 64 * 1024


class _SealedFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    format: Literal["sekisho-sealed/v1"]
    statement: Digest
    disclosures: Annotated[tuple[str, ...], msgspec.Meta(min_length=2, max_length=2)]


def beside(file: str | Path) -> Path:
    """Where the disclosures of the sealed order in `file` lie."""
    path = Path(file)
    return path.with_name(f"{path.name}.sealed.json")


def load_sealed(document: Document, file: str) -> Document:
    """The document with what lies beside it, where it is a sealed order and anything does. Raises InvalidInput."""
    statement, path = document.statement, beside(file)
    if statement is None or statement.kind != "order-sealed" or file == "-":
        return document
    try:
        with path.open("rb") as stream:
            data = stream.read(_MAX + 1)
    except FileNotFoundError:
        return document
    held = from_json(_SealedFile, parse_canonical(data, path=str(path), limit=_MAX), path=str(path))
    if held.statement != document.digest:
        raise InvalidInput(
            f"belongs to statement {held.statement[:16]}, not to {document.digest[:16]}",
            path=str(path),
            remedy="put the file there that was drafted with this order",
        )
    return msgspec.structs.replace(document, disclosures=held.disclosures)


def require_sealed(document: Document, file: str) -> tuple[str, ...]:
    """The disclosures of a sealed order, none of any other document. Raises InvalidInput where they are not at hand."""
    statement = document.statement
    if statement is None or statement.kind != "order-sealed":
        return ()
    if not document.disclosures:
        raise InvalidInput(
            "is sealed, and what it says is not at hand",
            path=file,
            remedy=f"put the file of its drafter at {beside(file)}",
        )
    return document.disclosures


def see_inside(view: View, document: Document) -> View:
    """The view of somebody who was shown what this document conceals."""
    if not document.disclosures:
        return view
    shown = {document.digest: document.disclosures}
    footing = msgspec.structs.replace(view.footing, disclosures=shown)
    return msgspec.structs.replace(view, footing=footing)


def write_sealed(file: Path, digest: str, texts: tuple[str, ...]) -> Path:
    """Write the private file beside `file`, readable by its owner alone. Raises StateConflict where one is there."""
    from sekisho.ceremony import replace_file

    path = beside(file)
    if path.exists() or path.is_symlink():
        raise StateConflict(f"{path}: a file is already there", remedy="name another file")
    held = {"disclosures": list(texts), "format": "sekisho-sealed/v1", "statement": digest}
    replace_file(path, canonical(held), mode=0o600)
    return path
