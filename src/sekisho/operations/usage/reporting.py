"""Usage reports: roll-ups of a day kept privately and stated in the log, once each; corrections as new statements.

The order of writes, and what a crash between two of them means:

    1. roll-up kept (home)   2. disclosures kept   3. statement in the log   4. its deposit

After 1: the document lies there with its salt; asked again, the very same statement is derived from it and stated.
Only the last document of a licensee and month can be without its statement, since it is stated before another is kept.
After 2: the same; the disclosures are saved once more, which is harmless. After 3: asked again, the statement is
found in the log by its payload. 4 is the desk's (operations.depositing). So nothing is lost, and nothing comes twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Literal, TypeAlias

import msgspec

from sekisho.metering.accounts.entries import Entry
from sekisho.metering.accounts.report_book import UsageBook
from sekisho.metering.accounts.roll_up import (
    RollUp,
    is_same_account,
    make_roll_up,
    payload_digest,
    statement_of,
)
from sekisho.model.errors import InvalidInput, StateConflict
from sekisho.model.names import fold_name
from sekisho.model.statements import ChainHead, make_payload, parse_payload
from sekisho.model.statements.shapes import Span
from sekisho.model.telemetry.usage import UNATTRIBUTED
from sekisho.model.wire import sha256_hex
from sekisho.operations.desk import Admitted, Desk
from sekisho.operations.usage.accounting import Collected
from sekisho.operations.usage.shelf import ErasedRollUp, RollUpShelf, name_of_shelf

__all__ = [
    "UNCLAIMED",
    "Planned",
    "Stated",
    "UsageReports",
    "plan_reports",
    "roll_up_period",
]

PlanKind: TypeAlias = Literal["new", "unchanged", "correction"]
UNCLAIMED: Final = "customer/unattributed"
"""How the log names the account of device time that no job claims."""
SALT_BYTES: Final = 16
MAX_REASON: Final = 1_000


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """What reporting would do for one customer. `before` is the roll-up that stands, None where there is none."""

    kind: PlanKind
    roll_up: RollUp
    before: RollUp | None = None

    def change(self, name: str) -> int | None:
        """By how much a figure rises or, below 0, falls; None where nothing stood, or either is not measured whole."""
        if self.before is None:
            return None
        both = (self.roll_up, self.before)
        if any(getattr(row, name) is None for one in both for row in one.rows):
            return None
        return self.roll_up.total(name) - self.before.total(name)

    @property
    def is_lowering(self) -> bool:
        """Less is accounted than before, or a figure that was measured is not any more."""
        if self.kind != "correction" or self.before is None:
            return False
        changes = [self.change(name) for name in ("bound_high", "estimate_best", "chip_ms")]
        lost = self.before.is_bounded and not self.roll_up.is_bounded
        return lost or any(change is not None and change < 0 for change in changes)


class Stated(msgspec.Struct, frozen=True, kw_only=True):
    """A plan with the entry of the log that came of it."""

    planned: Planned
    admitted: Admitted


def roll_up_period(
    found: Collected, period: Span, *, counting: str, name_of: Callable[[str], str]
) -> tuple[RollUp, ...]:
    """One roll-up for each customer that had device time in a period, ordered by name, unsalted.

    `name_of` gives the name that the log may see. Spellings of one customer are one.
    """
    by_party: defaultdict[str, list[Entry]] = defaultdict(list)
    spelt: dict[str, str] = {}
    for entry in found.entries:
        party = UNATTRIBUTED if entry.job == UNATTRIBUTED else entry.customer
        spelt[fold_name(party)] = min(spelt.get(fold_name(party), party), party)
        by_party[fold_name(party)].append(entry)
    made = (
        make_roll_up(
            entries,
            found.identities.runs,
            party=spelt[folded],
            licensee=name_of(spelt[folded]) if folded else UNCLAIMED,
            period=period,
            counting=counting,
        )
        for folded, entries in sorted(by_party.items())
    )
    return tuple(roll_up for roll_up in made if roll_up.rows)


def plan_reports(
    shelf: RollUpShelf, book: UsageBook, roll_ups: Iterable[RollUp]
) -> tuple[Planned, ...]:
    """What stating these roll-ups of one period would do; nothing is written.

    A customer who was reported and has no usage now is a correction too. Raises StateConflict where the log holds a
    report of which no roll-up is kept.
    """
    wanted = {roll_up.licensee: roll_up for roll_up in roll_ups}
    periods = {roll_up.period for roll_up in wanted.values()}
    if len(periods) > 1:
        raise InvalidInput("roll-ups of several periods at once", path="period")
    for period in periods:
        for name in shelf.licensees_of(period):
            last = shelf.find(name, period)
            if isinstance(last, RollUp) and name not in wanted:
                wanted[name] = msgspec.structs.replace(last, rows=(), evidence=(), chains=())
    return tuple(_plan(shelf, book, wanted[name]) for name in sorted(wanted))


def _plan(shelf: RollUpShelf, book: UsageBook, roll_up: RollUp) -> Planned:
    last = shelf.find(roll_up.licensee, roll_up.period)
    if last is None:
        if book.find(roll_up.licensee, roll_up.period) is not None:
            raise StateConflict(
                f"{roll_up.licensee} from {roll_up.period.start} is in the log, and no roll-up of it is kept",
                remedy="restore the folder of reports of this home",
            )
        return Planned(kind="new", roll_up=msgspec.structs.replace(roll_up, corrects=None))
    if isinstance(last, ErasedRollUp):
        raise StateConflict(
            f"what was reported of {roll_up.licensee} from {roll_up.period.start} was erased by law",
            remedy="report the others; an erased account is not made again",
        )
    if is_same_account(last, roll_up):
        return Planned(kind="unchanged", roll_up=last, before=last)
    made = msgspec.structs.replace(roll_up, corrects=payload_digest(last))
    return Planned(kind="correction", roll_up=made, before=last)


class UsageReports:
    """The reports of one home. `draw` gives random bytes; `chains_of` the receipt chains of a licensee's hosts."""

    def __init__(
        self,
        desk: Desk,
        shelf: RollUpShelf,
        *,
        draw: Callable[[int], bytes],
        chains_of: Callable[[str], tuple[ChainHead, ...]] = lambda _: (),
    ) -> None:
        self._desk = desk
        self._shelf = shelf
        self._draw = draw
        self._chains_of = chains_of

    def report(self, planned: Sequence[Planned], *, reason: str = "") -> tuple[Stated, ...]:
        """Keep and state each plan; what is unchanged is only made sure of. A correction needs a reason.

        Raises InvalidInput for a correction without one or a period that is not over, StateConflict where a report
        was made meanwhile. What was stated before an error stays stated; asked again, the rest follows.
        """
        if not reason.strip() and any(plan.kind == "correction" for plan in planned):
            raise InvalidInput(
                "corrections without a reason", path="reason", remedy="say why the figures change"
            )
        if len(reason) > MAX_REASON:
            raise InvalidInput(f"longer than {MAX_REASON} characters", path="reason")
        with self._desk.lock:
            self._desk.settle()
            return tuple(self._report(plan, reason.strip()) for plan in planned)

    def complete(self, erased: Iterable[str] = ()) -> int:
        """State what was kept and, after a crash, not stated; how many that were. Then erase what was to be erased."""
        with self._desk.lock:
            self._desk.settle()
            stated = sum(self._finish(name) for name in self._shelf.names())
            for digest in erased:
                self.forget(digest)
            return stated

    def forget(self, digest: str) -> None:
        """Erase the document of a statement whose disclosures were destroyed; other statements are passed over."""
        known = self._desk.state.usage.reports.get(digest)
        if known is not None:
            self._shelf.erase(known.fact.licensee, known.fact.period, digest)

    def _finish(self, name: str) -> bool:
        """State the last document under a name, if a crash kept it from the log: those before it stand there."""
        last = self._shelf.find_newest(name)
        return isinstance(last, RollUp) and self._state(last).fresh

    def _report(self, planned: Planned, reason: str) -> Stated:
        self._finish(name_of_shelf(planned.roll_up))
        self._require_current(planned)
        if planned.kind == "unchanged":
            return Stated(planned=planned, admitted=self._state(planned.roll_up))
        whole = msgspec.structs.replace(
            planned.roll_up,
            salt=self._draw(SALT_BYTES).hex(),
            chains=self._chains_of(planned.roll_up.licensee),
            reason=reason if planned.kind == "correction" else "",
        )
        self._require_statable(whole)
        self._shelf.add(whole)
        # Crash here: kept and not stated; `complete`, or asking again, states this very document.
        admitted = self._state(whole)
        made = msgspec.structs.replace(planned, roll_up=whole)
        return Stated(planned=made, admitted=admitted)

    def _require_current(self, planned: Planned) -> None:
        """Raise StateConflict where the plan was made before somebody else's report."""
        last = self._shelf.find(planned.roll_up.licensee, planned.roll_up.period)
        if last != planned.before:
            raise StateConflict(
                f"{planned.roll_up.licensee} was reported meanwhile",
                remedy="look again, then report",
            )

    def _require_statable(self, roll_up: RollUp) -> None:
        """Raise before anything is kept where the log would refuse the statement."""
        fact, disclosures = statement_of(roll_up)
        parse_payload(make_payload(fact))
        if self._desk.deposits is not None:
            self._desk.deposits.check(disclosures)
        now = self._desk.clock.now()
        if fact.period.end > now:
            raise InvalidInput(
                f"ends at {fact.period.end}, it is {now}",
                path="period",
                remedy="report a day that is over",
            )
        problem = self._desk.state.usage.problem_of(fact)
        if problem:
            raise StateConflict(problem, remedy="look at what is reported")

    def _state(self, roll_up: RollUp) -> Admitted:
        """The entry of a roll-up's statement: found by its payload, or made now."""
        fact, disclosures = statement_of(roll_up)
        known = self._desk.find(sha256_hex(make_payload(fact)))
        if known is not None:
            digest = known.verified.digest
            return Admitted(index=known.index, leaf=known.leaf, digest=digest, fresh=False)
        return self._desk.state_fact(fact, disclosures=disclosures)
