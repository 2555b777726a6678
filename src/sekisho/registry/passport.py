"""The passport of one chip: every event that touches it, what it came to, who vouches for it, and what is missing.

A passport is a value for people and programs (`sekisho-passport/v1`): identity, specifications recomputed from the chip
table, how the chip stands, one line for each event in the order of event time, with its proof, and the gaps by name.
Nothing in it is believed by whoever is handed one: `registry.passport_check` judges it against the log.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal, TypeAlias

import msgspec

from sekisho.model.custody import Identity, Standing
from sekisho.model.instants import Instant
from sekisho.model.wire import canonical, from_json, parse_json
from sekisho.ports.register_store import AlertRow, EventRow
from sekisho.registry.custody import Path, path_of
from sekisho.registry.custody.book import Captured
from sekisho.registry.epcis import event_of, hash_id
from sekisho.registry.epcis.event import Event
from sekisho.registry.passport_gaps import QUIET_S, Gap, find_gaps
from sekisho.registry.passport_line import (
    After,
    Line,
    LineProof,
    LogSeen,
    Remark,
    Verdict,
    judge_line,
)
from sekisho.registry.specs import Specs, specs_of
from sekisho.registry.terms import RegisterTerms

__all__ = [
    "FORMAT",
    "LIMITS",
    "MAX_PASSPORT",
    "Asked",
    "Attachment",
    "Lay",
    "Limit",
    "Passport",
    "Ties",
    "Timeline",
    "build_passport",
    "fold_lines",
    "lay_in",
    "parse_passport",
    "path_through",
    "terms_for",
    "worst",
]

FORMAT: Final = "sekisho-passport/v1"
MAX_PASSPORT: Final = 64 * 1024 * 1024
Limit: TypeAlias = Literal[
    "left-out", "word-of-register", "declarations", "inside", "unregistered", "physical"
]
LIMITS: Final[tuple[Limit, ...]] = (
    "left-out",
    "word-of-register",
    "declarations",
    "inside",
    "unregistered",
    "physical",
)
"""What a passport that holds still does not show; said in words by the catalogue."""
Timeline: TypeAlias = Sequence[tuple[EventRow, Sequence[str]]]
"""A chip's captured events with the roles in which they name it, by event time."""
_WORST_FIRST: Final[tuple[Verdict, ...]] = ("fails", "unverifiable", "holds")


class Lay(msgspec.Struct, frozen=True, kw_only=True):
    """What the chip lay directly in, over a half-open stretch of time; `until` is None while it still does."""

    container: str
    since: Instant
    until: Instant | None = None


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """A log entry that lines rest on: the envelope (base64) and its tlog-proof, so that no log need be at hand."""

    leaf: str
    envelope: str
    proof: str


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a passport is asked for: which chip, when it is issued, at which time of the world and of knowledge."""

    epc: str
    log: str
    issued: Instant
    at: Instant | None = None
    as_of: Instant | None = None
    quiet_s: int = QUIET_S


class Ties(msgspec.Struct, frozen=True, kw_only=True):
    """What ties a timeline to the log: proofs by event number, what the log says, entries to take along."""

    proofs: Mapping[int, LineProof] = {}
    seen: LogSeen = LogSeen()
    entries: tuple[Attachment, ...] = ()


class Passport(msgspec.Struct, frozen=True, kw_only=True):
    """One chip's papers. `identity`, `standing` and `specs` are None where nobody registered it, or nobody knows.

    `at` and `as_of` are what was asked for; None is now, with everything known. `verdict` is the worst line's. `terms`
    are those of the register that the lines are read by: whoever checks folds the lines again.
    """

    format: Literal["sekisho-passport/v1"] = "sekisho-passport/v1"
    log: str
    epc: str
    issued: Instant
    at: Instant | None = None
    as_of: Instant | None = None
    quiet_s: int = QUIET_S
    identity: Identity | None = None
    specs: Specs | None = None
    standing: Standing | None = None
    verdict: Verdict
    lines: tuple[Line, ...] = ()
    gaps: tuple[Gap, ...] = ()
    lay_in: tuple[Lay, ...] = ()
    limits: tuple[Limit, ...] = LIMITS
    terms: RegisterTerms = RegisterTerms()
    entries: tuple[Attachment, ...] = ()

    def to_bytes(self) -> bytes:
        """The document as it is handed on: canonical JSON and a line end."""
        return canonical(self) + b"\n"

    def line(self, number: int) -> Line | None:
        """The line of an event by its number in the register."""
        return next((line for line in self.lines if line.number == number), None)


def build_passport(
    asked: Asked,
    timeline: Timeline,
    terms: RegisterTerms,
    *,
    alerts: Iterable[AlertRow] = (),
    ties: Ties | None = None,
) -> Passport:
    """Put a chip's timeline into lines, verdicts and gaps. Pure.

    1. What is in view at (at, as_of); 2. which event which declaration struck; 3. the fold of what is in effect, and
    with it how the chip stood after each event; 4. every line checked; 5. what is missing.
    """
    known = ties or Ties()
    seen = [(row, roles) for row, roles in timeline if _is_in_view(row, asked)]
    events = {row.number: event_of(row.document) for row, _ in seen}
    lines = _lines_of(seen, events, alerts, known, asked.epc)
    needed = terms_for(events.values(), terms)
    stood, standing = fold_lines(asked.epc, lines, events, needed)
    judged = tuple(
        judge_line(
            msgspec.structs.replace(line, after=stood.get(line.number)),
            events[line.number],
            known.seen,
            asked.epc,
        )
        for line in lines
    )
    return Passport(
        log=asked.log,
        epc=asked.epc,
        issued=asked.issued,
        at=asked.at,
        as_of=asked.as_of,
        quiet_s=asked.quiet_s,
        identity=None if standing is None else standing.identity,
        specs=None if standing is None else specs_of(standing.identity.model),
        standing=standing,
        verdict=worst(line.verdict for line in judged),
        lines=judged,
        gaps=find_gaps(
            judged,
            until=asked.at or asked.issued,
            receipt_s=terms.custody.receipt_within_s,
            quiet_s=asked.quiet_s,
        ),
        lay_in=lay_in(judged),
        terms=needed,
        entries=known.entries,
    )


def parse_passport(data: bytes, *, path: str = "") -> Passport:
    """Read a passport that somebody handed over; nothing is believed yet. Raises InvalidInput with the field's path."""
    return from_json(Passport, parse_json(data, path=path, limit=MAX_PASSPORT), path=path)


def fold_lines(
    epc: str, lines: Iterable[Line], events: Mapping[int, Event], terms: RegisterTerms
) -> tuple[dict[int, After], Standing | None]:
    """How the chip stood after each line in effect, and at the end; by the same fold as the register's own.

    `events` are what the lines' documents say, by number.
    """
    after: dict[int, After] = {}
    standing: Standing | None = None
    for captured, stands in path_through(epc, lines, events, terms):
        standing = stands
        if stands is not None:
            after[captured.number] = After.of(stands)
    return after, standing


def path_through(
    epc: str, lines: Iterable[Line], events: Mapping[int, Event], terms: RegisterTerms
) -> Path:
    """The lines in effect as captured events in the order of the fold, each with the standing after it."""
    told = sorted(
        (
            line
            for line in lines
            if line.outcome == "taken"
            and line.struck_by is None
            and events[line.number].error is None
        ),
        key=lambda line: (line.effect or 0, line.number),
    )
    return path_of(epc, [_captured(line, events[line.number]) for line in told], terms)


def lay_in(lines: Iterable[Line]) -> tuple[Lay, ...]:
    """What the chip lay in, one container after the other, as the lines in effect say."""
    found: list[Lay] = []
    for line in lines:
        if line.after is None:
            continue
        inside = line.after.parent
        last = found[-1] if found and found[-1].until is None else None
        if last is not None and last.container != inside:
            found[-1] = msgspec.structs.replace(last, until=line.at)
        if inside and (last is None or last.container != inside):
            found.append(Lay(container=inside, since=line.at))
    return tuple(found)


def terms_for(events: Iterable[Event], terms: RegisterTerms) -> RegisterTerms:
    """The terms that these events are read by: of the places only those that some event names."""
    named: set[str] = set()
    for event in events:
        uris = [event.read_point, event.biz_location]
        uris += [typed.id for typed in (*event.sources, *event.destinations)]
        named |= {name for uri in uris if uri and (name := terms.name_of("place", uri))}
    kept = tuple(place for place in terms.places if place.place in named)
    return msgspec.structs.replace(terms, places=kept)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Of several verdicts the first of fails, unverifiable, holds; of none unverifiable."""
    present = set(verdicts)
    return next((word for word in _WORST_FIRST if word in present), "unverifiable")


def _is_in_view(row: EventRow, asked: Asked) -> bool:
    if asked.at is not None and row.at > asked.at:
        return False
    return asked.as_of is None or (row.known is not None and row.known <= asked.as_of)


def _lines_of(
    seen: Timeline,
    events: Mapping[int, Event],
    alerts: Iterable[AlertRow],
    ties: Ties,
    epc: str,
) -> list[Line]:
    told: dict[int, list[Remark]] = {}
    for alert in alerts:
        if alert.epc in ("", epc):
            told.setdefault(alert.number, []).append(Remark.of(alert))
    numbers = {row.number for row, _ in seen}
    strikes = {row.voided_by: row.number for row, _ in seen if row.voided_by in numbers}
    return [
        Line.of(
            row,
            events[row.number],
            roles=roles,
            struck_by=row.voided_by if row.voided_by in numbers else None,
            strikes=strikes.get(row.number),
            alerts=told.get(row.number, ()),
            proof=ties.proofs.get(row.number),
        )
        for row, roles in seen
    ]


def _captured(line: Line, event: Event) -> Captured:
    return Captured(
        number=line.number,
        event=event,
        hash_id=line.proof.hash_id if line.proof is not None else hash_id(event),
        key=b"",
        parties=frozenset(line.parties),
        powers=frozenset(line.powers),
        received=line.received,
    )
