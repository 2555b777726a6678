"""Checks of the register of chips: what the log commits to, who vouched for it, and what follows from it.

What is not disclosed makes a check unverifiable and is named; it never holds. A log without chips holds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from sekisho.auditor.evidence import Evidence
from sekisho.auditor.history import History, Step
from sekisho.auditor.register_evidence import (
    Disclosed,
    Replay,
    Signed,
    documents_of,
    replay_events,
)
from sekisho.auditor.verdicts import Outcome, Tally
from sekisho.model.errors import SekishoError
from sekisho.model.instants import Instant
from sekisho.model.statements import ChipRegistered, CustodyMoved, IrregularityFound
from sekisho.registry.commitments import BEHAVIOURS, batch_root, capture_id, commitment
from sekisho.registry.custody import path_of
from sekisho.registry.disclosed import EVENTS, DisclosedCapture, DisclosedEvent
from sekisho.registry.irregularity import about_digest
from sekisho.signing import Regime, concealed_of, open_fields, parse_disclosure
from sekisho.signing.endorsing import Endorsed, verify_endorsement

__all__ = [
    "check_chip_tags",
    "check_custody",
    "check_endorsements",
    "check_irregularities",
    "check_standings",
    "disclosed_of",
    "replay_of",
]

_NONE = "the log holds no custody events"


def check_custody(evidence: Evidence) -> Outcome:
    """Batches are numbered without gaps, and each root is that of the very events disclosed, in their order."""
    history, tally = evidence.past(), Tally()
    moved = list(history.facts(CustodyMoved))
    tally.extend(_misnumbered(moved))
    disclosed = evidence.disclosed()
    if not moved:
        if disclosed is not None and disclosed.events:
            tally.fault("events are disclosed that no entry of the log commits to")
        return tally.outcome(_NONE)
    if disclosed is None:
        events = sum(fact.events for _, fact in moved)
        tally.gap(f"{EVENTS} is not in the bundle: {events} events are not disclosed")
        return tally.outcome("")
    first = 1
    for step, fact in moved:
        tally.extend(_batch_faults(step, fact, disclosed.of_batch(fact.batch), first, disclosed))
        missing = fact.events - len(disclosed.of_batch(fact.batch))
        if missing > 0:
            tally.gap(f"entry {step.index}: {missing} events of batch {fact.batch} not disclosed")
        first += fact.events
    stated = {fact.batch for _, fact in moved}
    for batch in {row.batch for row in disclosed.events} - stated:
        tally.fault(f"batch {batch} is disclosed, and no entry commits to it")
    return tally.outcome(f"{first - 1} events in {len(moved)} batches, as the log has them")


def check_endorsements(evidence: Evidence) -> Outcome:
    """Every signed document is disclosed whole, by whom the register says, and its events are its."""
    tally = Tally()
    disclosed = disclosed_of(evidence, tally)
    if disclosed is None:
        return tally.outcome(_NONE)
    signed = _verify_captures(evidence, disclosed, tally)
    by_capture: dict[str, list[DisclosedEvent]] = {}
    for row in disclosed.events:
        by_capture.setdefault(row.capture, []).append(row)
    for capture, rows in by_capture.items():
        known = disclosed.captures.get(capture)
        if known is None:
            tally.gap(f"capture {capture} of event {rows[0].number} is not disclosed")
        elif known.endorsement:
            _check_document(evidence, known, rows, tally)
    count = sum(bool(row.endorsement) for row in disclosed.captures.values())
    return tally.outcome(f"{count} of {len(signed)} documents signed, each as the register says")


def check_standings(evidence: Evidence) -> Outcome:
    """The events taken anew give the very outcomes and standings that the register claims, one custodian at a time."""
    tally = Tally()
    disclosed = disclosed_of(evidence, tally)
    if disclosed is None:
        return tally.outcome(_NONE)
    replay = replay_of(evidence, disclosed, tally)
    if replay is None:
        return tally.outcome("")
    for row in disclosed.events:
        found = replay.settled[row.number]
        if (row.outcome, row.effect, row.voided_by) != (
            found.outcome,
            found.effect,
            found.voided_by,
        ):
            tally.fault(
                f"event {row.number} is claimed {_in_words(row.outcome, row.effect, row.voided_by)}, "
                f"replayed it is {_in_words(found.outcome, found.effect, found.voided_by)}"
            )
    _check_claims(disclosed, replay, tally)
    _check_custodians(disclosed, replay, tally)
    return tally.outcome(
        f"{len(disclosed.events)} events replayed, {len(replay.standings)} chips and components, "
        "one custodian each at every time"
    )


def check_chip_tags(evidence: Evidence) -> Outcome:
    """As many chips are registered in the log as each batch's events commissioned.

    Tags follow their batch at once; of the newest one they may stand behind the end of this log, until a mark of time
    follows it.
    """
    history, tally = evidence.past(), Tally()
    tagged: dict[str, int] = {}
    for _, fact in history.facts(ChipRegistered):
        tagged[fact.batch] = tagged.get(fact.batch, 0) + len(fact.chips)
    batches = {fact.root: (step.index, fact) for step, fact in history.facts(CustodyMoved)}
    roots = {root: fact.batch for root, (_, fact) in batches.items()}
    marked = max((mark.index for mark in history.marks), default=-1)
    for root in set(tagged) - set(roots):
        tally.fault(f"chips are registered for the batch {root[:16]}, which no entry states")
    disclosed = disclosed_of(evidence, tally)
    if disclosed is None:
        return tally.outcome("no chips are registered in the log")
    replay = replay_of(evidence, disclosed, tally)
    if replay is None:
        return tally.outcome("")
    excused = sum(
        fact.count
        for _, fact in history.facts(IrregularityFound)
        if fact.irregularity in ("duplicate-serial", "serial-not-taggable")
    )
    for root, batch in roots.items():
        fresh = replay.registered.get(batch, ())
        lasting = [epc for epc in fresh if epc not in replay.gone]
        found = tagged.get(root, 0)
        if found > len(fresh):
            tally.fault(f"batch {batch}: {found} chips tagged, {len(fresh)} commissioned")
        elif found < len(lasting) - excused and batches[root][0] > marked:
            tally.gap(f"batch {batch}: its tags may stand behind the end of this log; export anew")
        elif found < len(lasting) - excused:
            tally.fault(f"batch {batch}: {found} chips tagged, {len(lasting)} commissioned")
    return tally.outcome(f"{sum(tagged.values())} chips and components, each tag once")


def check_irregularities(evidence: Evidence) -> Outcome:
    """What a finding is about is what it commits to, as far as it is disclosed."""
    history, tally = evidence.past(), Tally()
    disclosures = evidence.disclosures()
    count = 0
    for step, fact in history.facts(IrregularityFound):
        count += 1
        texts = disclosures.get(step.leaf, ())
        opened = open_fields(texts, concealed_of(fact))
        if "about" not in opened.fields:
            if fact.concealed:
                tally.gap(f"entry {step.index}: what the finding is about is not disclosed")
            continue
        told = next(d for d in map(parse_disclosure, texts) if d.name == "about")
        about = about_digest(told.salt, fact.books, fact.irregularity, told.value)
        if about != fact.about:
            tally.fault(f"entry {step.index}: the finding is about something else than disclosed")
    _check_raised(evidence, tally)
    return tally.outcome(f"{count} findings in the books of chips")


def _check_raised(evidence: Evidence, tally: Tally) -> None:
    """The serious alerts that the events raise are findings in the log. Those of the newest batch may still come."""
    disclosed = evidence.disclosed()
    replay = None if disclosed is None else replay_of(evidence, disclosed, Tally())
    if disclosed is None or replay is None:
        return
    history = evidence.past()
    newest = max((fact.batch for _, fact in history.facts(CustodyMoved)), default=0)
    raised: Counter[str] = Counter()
    for (batch, code), count in replay.raised.items():
        if batch < newest:
            raised[code] += count
    for _, fact in history.facts(IrregularityFound):
        if fact.books == "custody":
            raised[fact.irregularity] -= fact.count
    for code, missing in sorted(raised.items()):
        if missing > 0:
            tally.fault(f"the events raise {missing} more {code} than the log has findings")


# --- batches -------------------------------------------------------------------------------------


def _misnumbered(moved: Sequence[tuple[Step, CustodyMoved]]) -> Iterator[str]:
    for expected, (step, fact) in enumerate(moved, 1):
        if fact.batch != expected:
            yield f"entry {step.index}: batch {fact.batch} where {expected} is next"
            return


def _batch_faults(
    step: Step,
    fact: CustodyMoved,
    rows: Sequence[DisclosedEvent],
    first: int,
    disclosed: Disclosed,
) -> Iterator[str]:
    where = f"entry {step.index}: batch {fact.batch}"
    if len(rows) > fact.events:
        yield f"{where} is of {fact.events} events, {len(rows)} are disclosed"
    if len(rows) != fact.events:
        return
    for place, row in enumerate(rows):
        if (row.number, row.place) != (first + place, place):
            yield f"{where}: event {row.number} stands where event {first + place} must be"
            return
    late = next((row for row in rows if row.received != fact.effective), None)
    if late is not None:
        yield f"{where} was captured at {fact.effective}, event {late.number} is said to be of {late.received}"
    made = [commitment(row.salt_bytes, disclosed.read[row.number][1], row.capture) for row in rows]
    if batch_root(made).hex() != fact.root:
        yield f"{where}: its events with these salts have another root than the log's"


# --- endorsements --------------------------------------------------------------------------------


def disclosed_of(evidence: Evidence, tally: Tally) -> Disclosed | None:
    """What is disclosed; where nothing is, that is missing if the log holds custody events."""
    disclosed = evidence.disclosed()
    if disclosed is None and any(True for _ in evidence.past().facts(CustodyMoved)):
        tally.gap(f"{EVENTS} is not in the bundle")
    return disclosed


def _verify_captures(
    evidence: Evidence, disclosed: Disclosed, tally: Tally
) -> Mapping[str, Signed]:
    """Who endorsed each capture; a claim that the signatures do not bear out is a fault."""
    history = evidence.past()
    entries = {fact.batch: step.index for step, fact in history.facts(CustodyMoved)}
    captured_at = {fact.batch: fact.effective for _, fact in history.facts(CustodyMoved)}
    batch_of = {row.capture: row.batch for row in reversed(disclosed.events)}
    found: dict[str, Signed] = {}
    for capture, row in disclosed.captures.items():
        claimed = Signed(frozenset(row.parties), frozenset(row.powers))
        tally.extend(_misnamed(row, captured_at.get(batch_of.get(capture, 0))))
        if not row.endorsement:
            found[capture] = Signed()
            if claimed != Signed():
                tally.fault(f"capture {capture} is said to be signed, and is not")
            continue
        index = entries.get(batch_of.get(capture, 0), len(history.steps))
        regimes = _regimes_about(history, index, row)
        found[capture] = _verified(evidence.origin, row, regimes, claimed, tally)
    return found


def _misnamed(row: DisclosedCapture, captured_at: Instant | None) -> Iterator[str]:
    """A capture under an id or a time that is not its own: another document, endorsement or regime put in its place."""
    endorsement = row.envelope or None
    if all(row.capture != capture_id(row.sha256, endorsement, word) for word in BEHAVIOURS):
        yield f"capture {row.capture} is not named after its document and endorsement"
    if captured_at is not None and row.received != captured_at:
        yield f"capture {row.capture} is said to be of {row.received}, its batch is of {captured_at}"


def _verified(
    origin: str,
    row: DisclosedCapture,
    regimes: Sequence[Regime],
    claimed: Signed,
    tally: Tally,
) -> Signed:
    """As claimed where one of the regimes bears it out; else nobody, and a fault."""
    told = ""
    for regime in regimes:
        try:
            endorsed = verify_endorsement(row.envelope, row.sha256, origin, regime)
        except SekishoError as error:
            told = told or f"{type(error).code}: {error.message}"
            continue
        if _as_signed(endorsed) == claimed:
            return claimed
        told = told or "it is signed by others than the register says"
    tally.fault(f"capture {row.capture}: {told}")
    return Signed()


def _regimes_about(history: History, index: int, row: DisclosedCapture) -> list[Regime]:
    """The regimes that may have been in force when a capture came: at its batch's entry, and back to that time.

    A change of the regime that was in a witnessed tree before the capture is one that the register knew.
    """
    regimes: list[Regime] = []
    seen: set[tuple[int, int, int]] = set()
    for place in range(index, -1, -1):
        regime = history.steps[place].regime if place < len(history.steps) else history.regime
        mark = (id(regime.parties), id(regime.charter), id(regime.keys))
        if mark not in seen:
            seen.add(mark)
            regimes.append(regime)
        known = history.recorded_by(place - 1) if place else None
        if known is not None and known <= row.received:
            break
    return regimes


def _as_signed(endorsed: Endorsed) -> Signed:
    return Signed(endorsed.parties, endorsed.powers)


def _check_document(
    evidence: Evidence, capture: DisclosedCapture, rows: Sequence[DisclosedEvent], tally: Tally
) -> None:
    whole = documents_of(evidence.bundle.files, capture.sha256)
    if whole is None:
        tally.gap(f"document {capture.sha256[:16]} of capture {capture.capture} is not disclosed")
        return
    for row in rows:
        if row.document.encode() not in whole:
            tally.fault(f"event {row.number} is not in the document that it is said to be from")


# --- the replay ----------------------------------------------------------------------------------


def replay_of(evidence: Evidence, disclosed: Disclosed, tally: Tally) -> Replay | None:
    """The replay; None where an event is missing, which is then named."""
    numbers = [row.number for row in disclosed.events]
    if numbers != list(range(1, len(numbers) + 1)):
        missing = next(n for n, found in enumerate([*numbers, 0], 1) if n != found)
        tally.gap(f"event {missing} is not disclosed: what follows from it cannot be told")
        return None
    stated = sum(fact.events for _, fact in evidence.past().facts(CustodyMoved))
    if len(numbers) < stated:
        tally.gap(f"{stated - len(numbers)} events are not disclosed")
    if "replay" not in evidence.memory:
        signed = _verify_captures(evidence, disclosed, Tally())
        evidence.memory["replay"] = replay_events(disclosed, signed)
    replay: Replay = evidence.memory["replay"]
    return replay


def _check_claims(disclosed: Disclosed, replay: Replay, tally: Tally) -> None:
    if disclosed.standings is None:
        tally.gap("the standings that the register claims are not disclosed")
        return
    claimed: set[str] = set()
    for standing in disclosed.standings:
        if standing.epc in claimed:
            tally.fault(f"{standing.epc} stands twice, as if it had two custodians")
        claimed.add(standing.epc)
        if replay.standings.get(standing.epc) != standing:
            tally.fault(f"{standing.epc} stands otherwise than the events give")
    for epc in sorted(set(replay.standings) - claimed)[:100]:
        tally.fault(f"{epc} is registered by the events, and no standing is claimed for it")


def _check_custodians(disclosed: Disclosed, replay: Replay, tally: Tally) -> None:
    """From its registration on each chip has a custodian after every event; and the last is that of its standing."""
    for epc, standing in replay.standings.items():
        path = path_of(epc, replay.book.history(epc), disclosed.terms)
        last = None
        for captured, found in path:
            if found is None or not found.custodian:
                if last is not None:
                    tally.fault(f"{epc} has no custodian after event {captured.number}")
            else:
                last = found
        if last is None or last.custodian != standing.custodian:
            tally.fault(f"{epc}: its path ends with another custodian than its standing")


def _in_words(outcome: str, effect: int | None, voided_by: int | None) -> str:
    told = outcome if effect is None else f"{outcome} as effect {effect}"
    return told if voided_by is None else f"{told}, voided by event {voided_by}"
