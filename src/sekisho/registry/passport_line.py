"""One line of a passport: an event, what became of it, and the proof that the log commits to it.

The log holds a root over salted commitments and nothing else of the event (protocol section 12). Whoever is shown the
event, its salt and the path checks: 1. the event hashes to its hash id; 2. the line says of the event what the event
says; 3. the event names this chip in the role that the line states; 4. salt and hash id give the commitment, and the
path leads to the batch's root; 5. the log's entry bears that root.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal, Self, TypeAlias

import msgspec

from sekisho.model.custody import LifeState, Standing
from sekisho.model.errors import InvalidInput, VerificationError
from sekisho.model.instants import Instant
from sekisho.model.statements.shapes import Digest
from sekisho.model.wire import decode_hex
from sekisho.ports.register_store import AlertRow, EventRow
from sekisho.registry.commitments import SALT_SIZE, commitment, verify_path
from sekisho.registry.custody.acts import Act, act_of
from sekisho.registry.epcis import event_of, hash_id
from sekisho.registry.epcis.event import Event

__all__ = [
    "After",
    "Committed",
    "Line",
    "LineProof",
    "LogSeen",
    "Remark",
    "Verdict",
    "Why",
    "judge_line",
    "read_event",
]

Verdict: TypeAlias = Literal["holds", "fails", "unverifiable"]
Why: TypeAlias = Literal[
    "committed",
    "no-proof",
    "not-logged",
    "no-entry",
    "another-event",
    "another-line",
    "another-chip",
    "another-commitment",
    "bad-path",
    "another-entry",
    "twice",
    "not-an-event",
]
"""Why a line holds (`committed`), is unverifiable (`no-proof`, `not-logged`, `no-entry`) or fails (the rest)."""


class Committed(msgspec.Struct, frozen=True, kw_only=True):
    """What one `custody-moved` entry of the log commits to, and where it stands."""

    leaf: str
    entry: int
    batch: int
    events: int
    root: str


class LogSeen(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a log: batches by the leaf digest of their entry, and how many entries were read whole.

    An entry below `size` that is not among `committed` is none of a batch; beyond it nothing is known.
    """

    committed: Mapping[str, Committed] = {}
    size: int = 0


class LineProof(msgspec.Struct, frozen=True, kw_only=True):
    """From an event to the log: salt and ids, the commitment, the path to the batch's root, the log's entry.

    Digests are hexadecimal. `entry` and `leaf` are None and "" while the log does not hold the batch yet.
    """

    batch: int
    place: int
    events: int
    salt: str
    hash_id: str
    capture: str
    commitment: Digest
    path: tuple[Digest, ...]
    root: Digest
    entry: int | None = None
    leaf: str = ""


class Remark(msgspec.Struct, frozen=True, kw_only=True):
    """An alert that the event raised: its stable code, and the detail as somebody wrote it."""

    code: str
    detail: str
    refused: bool

    @classmethod
    def of(cls, alert: AlertRow) -> Self:
        return cls(code=alert.code, detail=alert.detail, refused=alert.refused)


class After(msgspec.Struct, frozen=True, kw_only=True):
    """How the chip stood after an event, in the order of event time."""

    state: LifeState
    custodian: str
    holder: str
    owner: str
    place: str = ""
    country: str = ""
    parent: str = ""
    movement: str = ""
    licence: str = ""

    @classmethod
    def of(cls, standing: Standing) -> Self:
        return cls(
            state=standing.state,
            custodian=standing.custodian,
            holder=standing.holder,
            owner=standing.owner,
            place=standing.site,
            country=standing.country,
            parent=standing.parent,
            movement=standing.movement,
            licence=standing.licence,
        )


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One event in a passport.

    `number` is the order of capture, `effect` the order of taking effect. `known` is the end of its recorded time,
    `act` the register's word for what happened, `roles` in which the event names the chip (`inside`: it names what
    the chip lay in). `struck_by` is the number of the declaration that
    corrected it, `strikes` the number of the event that this line corrects. `parties` and `powers` endorsed it; an
    unsigned claim has neither. `after` is None for what took no effect. `document` is the event's own JSON.
    """

    number: int
    effect: int | None = None
    at: Instant
    received: Instant
    known: Instant | None = None
    type: str
    action: str = ""
    biz_step: str = ""
    disposition: str = ""
    read_point: str = ""
    biz_location: str = ""
    act: Act
    roles: tuple[str, ...]
    outcome: Literal["taken", "waiting", "refused"]
    struck_by: int | None = None
    strikes: int | None = None
    reason: str = ""
    parties: tuple[str, ...] = ()
    powers: tuple[str, ...] = ()
    after: After | None = None
    alerts: tuple[Remark, ...] = ()
    document: str
    proof: LineProof | None = None
    verdict: Verdict = "unverifiable"
    why: Why = "no-proof"

    @classmethod
    def of(  # noqa: PLR0913  # the parts of a line, by name
        cls,
        row: EventRow,
        event: Event,
        *,
        roles: Sequence[str],
        struck_by: int | None = None,
        strikes: int | None = None,
        after: After | None = None,
        alerts: Sequence[Remark] = (),
        proof: LineProof | None = None,
    ) -> Self:
        """The line of a row; nothing is checked yet."""
        return cls(
            number=row.number,
            effect=row.effect,
            at=row.at,
            received=row.received,
            known=row.known,
            type=row.type,
            action=row.action,
            biz_step=row.biz_step,
            disposition=row.disposition,
            read_point=row.read_point,
            biz_location=row.biz_location,
            act=act_of(event),
            roles=tuple(roles),
            outcome=row.outcome,
            struck_by=struck_by,
            strikes=strikes,
            reason=event.error.reason if event.error is not None else "",
            parties=row.parties,
            powers=row.powers,
            after=after,
            alerts=tuple(alerts),
            document=row.document.decode("utf-8"),
            proof=proof,
        )

    def is_settled(self, remark: Remark) -> bool:
        """Whether an alert kept the event from its effect only for a while: it was early."""
        return remark.refused and self.is_signed and self.outcome == "taken"

    @property
    def is_signed(self) -> bool:
        return bool(self.parties or self.powers)

    @property
    def is_effective(self) -> bool:
        """Whether it took effect and still has it: neither waiting, refused nor corrected, and no declaration."""
        return self.outcome == "taken" and self.struck_by is None and self.strikes is None


_NAMES: Final[Mapping[str, Callable[[Event], Sequence[str]]]] = {
    "epc": lambda event: event.epcs,
    "parent": lambda event: (event.parent,),
    "child": lambda event: event.children,
    "input": lambda event: event.inputs,
    "output": lambda event: event.outputs,
}


def judge_line(line: Line, event: Event | None, seen: LogSeen, epc: str) -> Line:
    """The line with its verdict and why. `event` is what its document says, None where that is no event.

    Pure; raises nothing.
    """
    verdict, why = _verdict_of(line, event, seen, epc)
    return msgspec.structs.replace(line, verdict=verdict, why=why)


def read_event(line: Line) -> Event | None:
    """What the line's document says; None where it is no event."""
    try:
        return event_of(line.document.encode("utf-8"))
    except (InvalidInput, UnicodeEncodeError):
        return None


def _verdict_of(line: Line, event: Event | None, seen: LogSeen, epc: str) -> tuple[Verdict, Why]:
    fault = _misread(line, event, epc)
    if fault is not None:
        return "fails", fault
    if line.proof is None or event is None:
        return "unverifiable", "no-proof"
    if hash_id(event) != line.proof.hash_id:
        return "fails", "another-event"
    return _check_proof(line.proof, seen)


def _misread(line: Line, event: Event | None, epc: str) -> Why | None:
    """Whether the line says something else than its event; None where it does not."""
    if event is None:
        return "not-an-event"
    if not _says_what_the_event_says(line, event):
        return "another-line"
    named = all(role == "inside" or epc in _NAMES[role](event) for role in line.roles)
    return None if named and line.roles else "another-chip"


def _check_proof(proof: LineProof, seen: LogSeen) -> tuple[Verdict, Why]:
    fault = _fault_of(proof)
    if fault is not None:
        return "fails", fault
    if not proof.leaf or proof.entry is None:
        return "unverifiable", "not-logged"
    committed = seen.committed.get(proof.leaf)
    if committed is None and proof.entry >= seen.size:
        return "unverifiable", "no-entry"
    stated = Committed(
        leaf=proof.leaf,
        entry=proof.entry,
        batch=proof.batch,
        events=proof.events,
        root=proof.root,
    )
    return ("holds", "committed") if committed == stated else ("fails", "another-entry")


def _fault_of(proof: LineProof) -> Why | None:
    """What is wrong between salt, ids, path and root; None where they fit."""
    try:
        salt = decode_hex(proof.salt, size=SALT_SIZE, path="salt")
        made = commitment(salt, proof.hash_id, proof.capture)
    except InvalidInput:
        return "another-commitment"
    if made.hex() != proof.commitment:
        return "another-commitment"
    path = [bytes.fromhex(item) for item in proof.path]
    try:
        verify_path(made, proof.place, proof.events, path, bytes.fromhex(proof.root))
    except VerificationError:
        return "bad-path"
    return None


def _says_what_the_event_says(line: Line, event: Event) -> bool:
    said = (line.at, line.type, line.action, line.biz_step, line.disposition)
    where = (line.read_point, line.biz_location)
    reason = event.error.reason if event.error is not None else ""
    told = (event.at, event.type, event.action or "", event.biz_step, event.disposition)
    return (
        said == told
        and line.act == act_of(event)
        and where == (event.read_point, event.biz_location)
        and line.reason == reason
        and (line.strikes is None or event.error is not None)
        and all(role == "inside" or role in _NAMES for role in line.roles)
    )
