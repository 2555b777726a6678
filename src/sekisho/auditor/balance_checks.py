"""Checks of closed balances: the figures that were concealed add up, and are those that the replayed events give."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sekisho.auditor.custody_checks import disclosed_of, replay_of
from sekisho.auditor.evidence import Evidence
from sekisho.auditor.history import History, Step
from sekisho.auditor.register_evidence import Disclosed, Replay
from sekisho.auditor.verdicts import Outcome, Tally
from sekisho.model.instants import Instant
from sekisho.model.statements import BalanceClosed, CustodyMoved
from sekisho.registry.balance import Areas
from sekisho.registry.custody import position_at
from sekisho.signing import concealed_of, open_fields

__all__ = ["check_balances"]

_FIGURES = ("area", "opening", "increases", "decreases", "book", "counted", "unaccounted")
_NOT_MEASURED = "not measured"
_PREFIXES = 20
"""Batches before the entry at whose end the balance may have been closed: a party signs it somewhat later."""


def check_balances(evidence: Evidence) -> Outcome:
    """Each closed balance whose figures are disclosed adds up, has the verdict of its figures, and is the replay's."""
    history, tally = evidence.past(), Tally()
    closed = list(history.facts(BalanceClosed))
    if not closed:
        return tally.outcome("the log holds no closed balances")
    disclosures = evidence.disclosures()
    disclosed = disclosed_of(evidence, tally)
    replay = None if disclosed is None else replay_of(evidence, disclosed, tally)
    for step, fact in closed:
        where = f"entry {step.index}"
        fields = open_fields(disclosures.get(step.leaf, ()), concealed_of(fact)).fields
        if any(name not in fields for name in _FIGURES):
            tally.gap(f"{where}: the figures of this balance are not disclosed")
            continue
        tally.extend(f"{where}: {fault}" for fault in _sums(fact, fields))
        if disclosed is not None and replay is not None:
            fault = _differs(history, step, fact, fields, disclosed, replay)
            if fault:
                tally.fault(f"{where}: {fault}")
    return tally.outcome(f"{len(closed)} closed balances, as the events give them")


def _sums(fact: BalanceClosed, fields: Mapping[str, str]) -> Iterator[str]:
    opening, increases, decreases, book = (
        int(fields[name]) for name in ("opening", "increases", "decreases", "book")
    )
    if opening + increases - decreases != book:
        yield f"{opening} + {increases} - {decreases} is not {book}"
    if fields["counted"] == _NOT_MEASURED:
        if fact.verdict == "holds":
            yield "nobody counted, and it is said to hold"
        return
    missing = book - int(fields["counted"])
    if fields["unaccounted"] != str(missing):
        yield f"{missing} are unaccounted for, {fields['unaccounted']} are stated"
    if missing and fact.verdict == "holds":
        yield f"{missing} are unaccounted for, and it is said to hold"


def _differs(
    history: History,
    step: Step,
    fact: BalanceClosed,
    fields: Mapping[str, str],
    disclosed: Disclosed,
    replay: Replay,
) -> str:
    """Why the register's figure at the period's end is not the replay's; "" where it is, or where none is stated."""
    areas = Areas.of(disclosed.terms)
    keeper = areas.keeper_in.get(fields["area"], "")
    if keeper and keeper != fact.party:
        return f"area {fields['area']} is kept by {keeper}, not by {fact.party}"
    counted, cumulative = fields["counted"], fields.get("cumulative", _NOT_MEASURED)
    if _NOT_MEASURED in (counted, cumulative):
        return ""
    stated = int(counted) + int(cumulative)
    found: int | None = None
    for newest in _prefixes(history, step):
        if _is_older(newest, fact, disclosed):
            break
        held = _held(fields["area"], fact.period.end, newest, areas, disclosed, replay)
        if held == stated:
            return ""
        found = held if found is None else found
    return f"the events put {found} in the area at {fact.period.end}, the register had {stated}"


def _is_older(newest: int, fact: BalanceClosed, disclosed: Disclosed) -> bool:
    """Whether more than these events had come by the end of the period: nobody closes it before that."""
    following = disclosed.events[newest : newest + 1]
    return any(row.received < fact.period.end for row in following)


def _prefixes(history: History, step: Step) -> list[int]:
    """The newest event's number after each of the last batches about the entry, newest first.

    A batch that was captured before and stated just behind it counted in the balance as well.
    """
    total, ends, behind = 0, list[int](), 0
    for moved, batch in history.facts(CustodyMoved):
        behind += moved.index > step.index
        if behind > 1:
            break
        total += batch.events
        ends.append(total)
    return list(reversed(ends))[:_PREFIXES]


def _held(
    area: str,
    end: Instant,
    newest: int,
    areas: Areas,
    disclosed: Disclosed,
    replay: Replay,
) -> int:
    """How many components lay in an area just before an instant, by the events up to a number."""
    before = Instant(end.us - 1)
    return sum(
        areas.at(position_at(epc, history, disclosed.terms, at=before, as_of=Instant(newest)))
        == area
        for epc, history in replay.histories.items()
    )
