"""What the parts of `sekisho rules` read alike: a pack by name or path, and the instant of the law."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sekisho.cli.reading import read_input
from sekisho.model.instants import Instant, parse_date_or_instant

if TYPE_CHECKING:
    from sekisho.model.statements.shapes import PackReference
    from sekisho.rules import Pack

__all__ = ["AsOf", "At", "PackName", "now", "read_instant", "read_pack"]

_PACK_LIMIT = 2**20 + 1
PackName = Annotated[
    str, typer.Option("--pack", help="A pack's name, or the path of a .yaml file.")
]
At = Annotated[str, typer.Option("--at", help="Law of this date or instant; now if left out.")]
AsOf = Annotated[
    str, typer.Option("--as-of", help="Only what was known on this date; all if left out.")
]


def read_pack(name: str) -> Pack:
    """The pack of that name or in that file; - is standard input. Raises InvalidInput with file, line and remedy."""
    from sekisho.rules import DEFAULT_PACK, load_pack, parse_pack

    if name == "-":
        return parse_pack(read_input(name, limit=_PACK_LIMIT), name, _beside(""))
    if name.endswith((".yaml", ".yml")):
        return parse_pack(read_input(name, limit=_PACK_LIMIT), name, _beside(name))
    return load_pack(name or DEFAULT_PACK)


def _beside(path: str) -> Callable[[PackReference], bytes | None]:
    """The base of an overlay in a file: a pack of that digest beside it, else the one that ships."""
    import hashlib

    from sekisho.rules.shipped import find_shipped

    def find(over: PackReference) -> bytes | None:
        file = Path(path).parent / f"{over.name}.yaml"
        beside = read_input(str(file), limit=_PACK_LIMIT) if file.is_file() else None
        found = [data for data in (beside, find_shipped(over)) if data is not None]
        pinned = [data for data in found if hashlib.sha256(data).hexdigest() == over.sha256]
        return next(iter([*pinned, *found]), None)

    return find


def read_instant(text: str, flag: str) -> Instant | None:
    """The instant that a flag names, or None where it was left out."""
    return parse_date_or_instant(text, path=flag) if text else None


def now() -> Instant:
    """The clock, read at the edge."""
    return Instant.from_seconds(datetime.now(UTC).timestamp())
