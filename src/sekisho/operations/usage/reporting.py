"""Usage reports: roll-ups of a day kept privately and stated in the log, once each; corrections as new statements.

The order of writes, and what a crash between two of them means:

    1. roll-up kept (home)   2. disclosures kept   3. statement in the log   4. its deposit

After 1: the document lies there with its salt; asked again, the very same statement is derived from it and stated.
After 2: the same; the disclosures are saved once more, which is harmless. After 3: asked again, the statement is
found in the log by its payload. 4 is the desk's (operations.depositing). So nothing is lost, and nothing comes twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Literal, TypeAlias

import msgspec

from sekisho.metering.accounts.entries import Entry
from sekisho.metering.accounts.roll_up import (
    RollUp,
    check_roll_up,
    is_same_account,
    make_roll_up,
    parse_roll_up,
    statement_of,
)
from sekisho.model.errors import Corrupt, InvalidInput, StateConflict
from sekisho.model.names import fold_name
from sekisho.model.statements import ChainHead, make_payload
from sekisho.model.statements.shapes import Span
from sekisho.model.telemetry.usage import UNATTRIBUTED
from sekisho.model.wire import canonical, sha256_hex
from sekisho.operations.desk import Admitted, Desk
from sekisho.operations.usage.accounting import Collected
from sekisho.ports.report_store import ReportStore

__all__ = ["UNCLAIMED", "Planned", "Stated", "UsageReports", "roll_up_period"]

PlanKind: TypeAlias = Literal["new", "unchanged", "correction"]
UNCLAIMED: Final = "customer/unattributed"
"""How the log names the account of device time that no job claims."""
SALT_BYTES: Final = 16


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


class UsageReports:
    """The reports of one home. `draw` gives random bytes; `chains_of` the receipt chains of a licensee's hosts."""

    def __init__(
        self,
        desk: Desk,
        reports: ReportStore,
        *,
        draw: Callable[[int], bytes],
        chains_of: Callable[[str], tuple[ChainHead, ...]] = lambda _: (),
    ) -> None:
        self._desk = desk
        self._reports = reports
        self._draw = draw
        self._chains_of = chains_of

    def load(self, licensee: str) -> tuple[RollUp, ...]:
        """The roll-ups kept of a licensee, in the order in which they were made. Raises Corrupt for what is none."""
        found = []
        for number, data in enumerate(self._reports.load_all("usage", licensee), 1):
            try:
                found.append(parse_roll_up(data, path=f"roll-up {number} of {licensee}"))
            except InvalidInput as error:
                raise Corrupt(
                    f"a kept roll-up cannot be read: {error}", remedy="restore it from a copy"
                ) from None
        return tuple(found)

    def load_all(self) -> tuple[RollUp, ...]:
        """Every roll-up kept."""
        names = self._reports.load_names("usage")
        return tuple(roll_up for name in names for roll_up in self.load(name))

    def plan(self, roll_ups: Iterable[RollUp]) -> tuple[Planned, ...]:
        """What stating these would do; nothing is written. A customer who had a report and has no usage now is one too.

        Raises StateConflict where a period overlaps one that is reported.
        """
        wanted = {roll_up.licensee: roll_up for roll_up in roll_ups}
        periods = {roll_up.period for roll_up in wanted.values()}
        if len(periods) > 1:
            raise InvalidInput("roll-ups of several periods at once", path="period")
        for period in periods:
            wanted |= self._emptied(period, wanted)
        return tuple(self._plan(wanted[name]) for name in sorted(wanted))

    def report(self, planned: Sequence[Planned], *, reason: str = "") -> tuple[Stated, ...]:
        """Keep and state each plan; what is unchanged is only made sure of. A correction needs a reason.

        Raises InvalidInput for a correction without one, StateConflict where a report was made meanwhile.
        """
        if not reason.strip() and any(plan.kind == "correction" for plan in planned):
            raise InvalidInput(
                "corrections without a reason", path="reason", remedy="say why the figures change"
            )
        with self._desk.lock:
            self._desk.settle()
            return tuple(self._report(plan, reason) for plan in planned)

    def complete(self) -> int:
        """State what was kept and, after a crash, not stated; how many that were."""
        with self._desk.lock:
            self._desk.settle()
            return sum(self._state(roll_up).fresh for roll_up in self.load_all())

    def _plan(self, roll_up: RollUp) -> Planned:
        kept = [known for known in self.load(roll_up.licensee) if known.period == roll_up.period]
        if not kept:
            self._check_free(roll_up)
            return Planned(kind="new", roll_up=roll_up)
        if is_same_account(kept[-1], roll_up):
            return Planned(kind="unchanged", roll_up=kept[-1], before=kept[-1])
        corrects = _payload_digest(kept[-1])
        made = msgspec.structs.replace(roll_up, corrects=corrects)
        return Planned(kind="correction", roll_up=made, before=kept[-1])

    def _check_free(self, roll_up: RollUp) -> None:
        standing = self._desk.state.usage.find(roll_up.licensee, roll_up.period)
        if standing is not None:
            raise StateConflict(
                f"{roll_up.licensee} from {roll_up.period.start} is reported in the log, and its roll-up is not kept",
                remedy="restore the home's folder reports/usage",
            )

    def _emptied(self, period: Span, wanted: dict[str, RollUp]) -> dict[str, RollUp]:
        """Customers whose usage of a reported period is gone: an empty roll-up corrects what stands."""
        found = {}
        for name in self._reports.load_names("usage"):
            kept = [known for known in self.load(name) if known.period == period]
            if name not in wanted and kept:
                last = kept[-1]
                found[name] = msgspec.structs.replace(last, rows=(), evidence=(), chains=())
        return found

    def _report(self, planned: Planned, reason: str) -> Stated:
        if planned.kind == "unchanged":
            return Stated(planned=planned, admitted=self._state(planned.roll_up))
        if planned.before is not None:
            # Crash between keeping and stating it last time: what is corrected must stand in the log first.
            self._state(planned.before)
        whole = msgspec.structs.replace(
            planned.roll_up,
            salt=self._draw(SALT_BYTES).hex(),
            chains=self._chains_of(planned.roll_up.licensee),
            reason=reason.strip() if planned.kind == "correction" else "",
        )
        check_roll_up(whole)
        number = len(self._reports.load_all("usage", whole.licensee)) + 1
        self._reports.add("usage", whole.licensee, number, canonical(whole))
        # Crash here: kept and not stated; `complete`, or asking again, states this very document.
        admitted = self._state(whole)
        return Stated(planned=msgspec.structs.replace(planned, roll_up=whole), admitted=admitted)

    def _state(self, roll_up: RollUp) -> Admitted:
        """The entry of a roll-up's statement: found by its payload, or made now."""
        fact, disclosures = statement_of(roll_up)
        known = self._desk.find(sha256_hex(make_payload(fact)))
        if known is not None:
            digest = known.verified.digest
            return Admitted(index=known.index, leaf=known.leaf, digest=digest, fresh=False)
        return self._desk.state_fact(fact, disclosures=disclosures)


def _payload_digest(roll_up: RollUp) -> str:
    return sha256_hex(make_payload(statement_of(roll_up)[0]))
