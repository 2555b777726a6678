"""What a lineage has cost so far, over all licences and licensees, and what a run is judged with. Pure.

Source: protocol section 6 and invariant 8. A start from a digest that no receipt names is *origin unknown*. A licence
counts with its whole budget until it has ended, then with what was leased and did not come back. A checkpoint does not
say how much of its run was spent when it was written, so all of that run counts, and an amendment of a run is judged
together with what was licensed on top of its checkpoints.
"""

from __future__ import annotations

import msgspec

from sekisho.licensing.ledger import LicenceLedger
from sekisho.licensing.states import LicenceState
from sekisho.model.amounts import format_flop, parse_flop
from sekisho.model.statements import RunDeclared

__all__ = [
    "Judged",
    "ancestors_of",
    "descendants_of",
    "is_lineage_disclosed",
    "judged_run",
    "licensed_flop",
    "planned_flop",
]


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """A run as the rules are to judge it: its FLOP with all that is licensed for it, and what its weights cost.

    `lineage_flop` is None where the origin is not known, and 0 for a start from scratch.
    """

    run: RunDeclared
    lineage_flop: int | None


def judged_run(
    ledger: LicenceLedger, run: RunDeclared, *, budget_flop: int = 0, besides: str = ""
) -> Judged:
    """The run with a budget that is to be licensed; `besides` is the leaf of the licence whose budget it replaces."""
    above, is_known = ancestors_of(ledger, run.run)
    own = budget_flop + licensed_flop(ledger, run.run, besides=besides)
    flop = max(planned_flop(run), own) + _downstream(ledger, run.run, above)
    text = format_flop(flop)
    judged = msgspec.structs.replace(run, planned_flop=text, planned_flop_hardware=text)
    cost = sum(_cost(ledger, name) for name in above)
    return Judged(run=judged, lineage_flop=cost if is_known else None)


def planned_flop(run: RunDeclared) -> int:
    """The larger of both planned figures: the model's and the hardware's."""
    return max(parse_flop(run.planned_flop), parse_flop(run.planned_flop_hardware))


def licensed_flop(ledger: LicenceLedger, run: str, *, besides: str = "") -> int:
    """What all licences of one run hand out together, without the one whose leaf is `besides`."""
    return sum(state.handed_out_flop() for state in ledger.by_run(run) if state.leaf != besides)


def ancestors_of(ledger: LicenceLedger, run: str) -> tuple[frozenset[str], bool]:
    """Every run that the weights of `run` come from, at any depth; whether each of their origins is known."""
    found: set[str] = set()
    is_known, waiting = True, [run]
    while waiting:
        name = waiting.pop()
        declared = ledger.runs.get(name)
        is_known = is_known and declared is not None and _says_origin(declared[1])
        for digest in ledger.origins.rests_on.get(name, ()):
            writers = ledger.origins.written_by.get(digest, ())
            is_known = is_known and bool(writers)
            fresh = [w for w in writers if w not in found and w != run]
            found.update(fresh)
            waiting += fresh
    return frozenset(found), is_known


def descendants_of(ledger: LicenceLedger, run: str) -> frozenset[str]:
    """Every run that starts, at any depth, from a checkpoint of `run`."""
    found: set[str] = set()
    waiting = [run]
    while waiting:
        for digest in ledger.origins.written.get(waiting.pop(), ()):
            takers = ledger.origins.taken_up_by.get(digest, ())
            fresh = [name for name in takers if name not in found and name != run]
            found.update(fresh)
            waiting += fresh
    return frozenset(found)


def is_lineage_disclosed(ledger: LicenceLedger, run: str) -> bool:
    """Whether every amount that `judged_run` reads is known to this reader."""
    runs = {run, *ancestors_of(ledger, run)[0], *descendants_of(ledger, run)}
    for name in descendants_of(ledger, run):
        runs |= ancestors_of(ledger, name)[0]
    return not any(_is_hidden(state) for name in runs for state in ledger.by_run(name))


def _is_hidden(state: LicenceState) -> bool:
    return bool(state.undisclosed) and (state.revoked is not None or state.closed is not None)


def _says_origin(run: RunDeclared) -> bool:
    return run.lineage.scratch or bool(run.lineage.parents)


def _cost(ledger: LicenceLedger, run: str) -> int:
    """What an ancestor cost at most: as licensed; what needed no licence as planned."""
    declared = ledger.runs.get(run)
    if ledger.by_run(run) or declared is None:
        return licensed_flop(ledger, run)
    return planned_flop(declared[1])


def _downstream(ledger: LicenceLedger, run: str, above: frozenset[str]) -> int:
    """The most that is licensed on top of this run's checkpoints, along one lineage, beside what is above it."""
    mine = {run, *above}
    totals = [0]
    for name in descendants_of(ledger, run):
        if licensed_flop(ledger, name):
            beside = ancestors_of(ledger, name)[0] - mine
            totals.append(
                licensed_flop(ledger, name)
                + sum(_cost(ledger, other) for other in beside if other != name)
            )
    return max(totals)
