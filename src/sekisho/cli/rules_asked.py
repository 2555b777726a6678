"""What deciding and the timeline read alike: requests from a file, and the packs by which one is judged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from sekisho.cli.choices import parse_choice
from sekisho.cli.reading import read_input
from sekisho.cli.rules_inputs import now, read_pack
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant, parse_date_or_instant

if TYPE_CHECKING:
    from sekisho.rules import Pack, Request
    from sekisho.rules.pack import Reading

__all__ = [
    "Asked",
    "PackNames",
    "Packs",
    "RequestFile",
    "UnderReading",
    "moment_of",
    "read_asked",
    "read_reading",
]

_LIMIT = 64 * 1024 * 1024
_EVERY = "all"
RequestFile = Annotated[
    str, typer.Argument(help="One request or JSON lines; - for standard input.", metavar="F")
]
PackNames = Annotated[
    list[str] | None,
    typer.Option(
        "--pack",
        help="A pack's name, or the path of a .yaml file; may stand several times; `all` for every "
        "shipped pack that speaks about such requests on that date. By kind if left out.",
    ),
]
UnderReading = Annotated[
    str,
    typer.Option(
        "--reading",
        help="enforced, codified (what stands in the books too) or announced (and what is drafted).",
    ),
]


class Asked:
    """The rows of a file: each a request with its line, or the error that stands there."""

    def __init__(self, rows: list[tuple[int, Request | InvalidInput]], *, several: bool) -> None:
        self.rows, self.several = rows, several

    def document(self, rows: Sequence[object]) -> object:
        """A list for a list or JSON lines, one object for one request."""
        return list(rows) if self.several else rows[0]


class Packs:
    """The packs of one call, each read once."""

    def __init__(self, names: Sequence[str]) -> None:
        self._every = _EVERY in names
        if self._every and len(names) > 1:
            raise InvalidInput(
                "`all` stands beside other packs", path="--pack", remedy="write `all` alone"
            )
        self._named = [] if self._every else [read_pack(name) for name in names]

    def judging(
        self,
        request: Request,
        at: Instant,
        reading: Reading = "enforced",
        as_of: Instant | None = None,
    ) -> list[Pack]:
        """The packs that are asked about this request: those named, all law that has an answer, or the kind's own.

        A reform is nobody's law yet: it is asked where it is named. Where no law speaks, the kind's own pack says so.
        """
        from sekisho.rules.library import DEFAULT_PACKS, load_pack, load_packs_about

        if self._named:
            return self._named
        own = load_pack(DEFAULT_PACKS[request.kind])
        if not self._every:
            return [own]
        about = [pack for pack in load_packs_about(request.kind) if pack.standing != "reform"]
        return [one for one in about if _speaks(one, request, at, (reading, as_of))] or [own]


def _speaks(
    pack: Pack, request: Request, at: Instant, under: tuple[Reading, Instant | None]
) -> bool:
    """Whether a pack that nobody named has an answer: one of its rules acts on that kind on that day.

    Revoked law does not speak, though a rule of its pack may still say that it was revoked, as a permit.
    """
    from sekisho.rules.acting import is_acting, is_before

    if is_before(pack.coverage, at):
        return False
    reading, as_of = under
    rules = [rule for rule in pack.rules if request.kind in rule.kinds]
    statuses = [(rule, rule.status_at(at, as_of)) for rule in rules]
    acting = {rule.outcome for rule, status in statuses if is_acting(status, reading)}
    has_ended = any(status is not None and status.word in _GONE for _, status in statuses)
    return bool(acting - {"permit"} if has_ended else acting)


_GONE = ("revoked", "ended")


def read_asked(file: str) -> Asked:
    """The requests of a file. Raises InvalidInput where there is none, or where the only one is not understood."""
    from sekisho.rules import parse_requests

    if not file:
        raise InvalidInput(
            "no file of requests", path="F", remedy="name a file, or - for standard input"
        )
    data = read_input(file, limit=_LIMIT)
    rows = parse_requests(data, file=file)
    first = rows[0][1]
    if len(rows) == 1 and isinstance(first, InvalidInput):
        raise first
    several = len(rows) > 1 or file.endswith(".jsonl") or data.lstrip().startswith(b"[")
    return Asked(rows, several=several)


def read_reading(text: str) -> Reading:
    """The reading that a flag names."""
    from sekisho.rules.pack import Reading

    return parse_choice(text, get_args(Reading), path="--reading", noun="reading")


def moment_of(request: Request, at: Instant | None) -> Instant:
    """The day of law: the call's, else the request's own, else now."""
    if at is not None:
        return at
    return now() if request.on is None else parse_date_or_instant(request.on, path="on")
