"""Balances of a register's areas: shown at any (at, as_of), closed period by period, checked again, reported.

Closing reads the area's whole ledger, compares it with a count item by item, writes the three reports and keeps them:
what is kept is never changed. The party signs what it closed as statements of its own; areas and figures are concealed
in them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, Literal, TypeAlias

import msgspec

from sekisho.model.errors import Corrupt, InvalidInput, StateConflict
from sekisho.model.instants import Instant
from sekisho.model.statements import BalanceClosed, InventoryTaken, Predicate
from sekisho.model.statements.shapes import Span
from sekisho.model.wire import canonical, from_json, parse_json
from sekisho.ports.register_store import LineRow, RegisterStore
from sekisho.ports.report_store import ReportStore
from sekisho.registry.balance import (
    Areas,
    Balance,
    Changed,
    Closed,
    Closing,
    Fault,
    Inventory,
    NationalStock,
    Report,
    TransitRow,
    account_stock,
    balance_report,
    booked_in,
    change_reports,
    check_reports,
    close_balance,
    inventory_report,
    list_transit,
    net_changes,
    salted_digest,
    signed,
)
from sekisho.registry.terms import RegisterTerms
from sekisho.signing import Disclosure, conceal

__all__ = ["AreaBook", "Balances", "ClosedArea", "Draft", "conceal_fields", "draft_statements"]

Draw: TypeAlias = Callable[[int], bytes]
PAGE: Final = 10_000
SALT_BYTES: Final = 16
MAX_KEPT: Final = 512 * 1024 * 1024
_NEVER: Final = Instant.parse("9999-12-31T00:00:00Z")
_NOWHERE: Final = "ZZ"
"""For a report's header, where the terms name no country: ISO 3166 leaves the code to its users."""
_JUST: Final = 1
"""A microsecond: a half-open period that ends just behind an instant holds it."""


class AreaBook(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger says of an area at an instant, by what was known as of another; and its last closed balance.

    `changes` are sums since the area's first line, by code, in components.
    """

    area: str
    country: str
    keeper: str
    at: Instant
    as_of: Instant | None
    held: int
    changes: tuple[Changed, ...]
    last: Balance | None

    @property
    def verdict(self) -> Literal["holds", "fails", "unverifiable"]:
        """The last closed balance's; an area that nobody ever counted is unverifiable."""
        return "unverifiable" if self.last is None else self.last.verdict


class ClosedArea(msgspec.Struct, frozen=True, kw_only=True):
    """A closed balance as it is kept: with the count that it rests on and the reports written of it."""

    balance: Balance
    inventory: Inventory | None
    reports: tuple[Report, ...]


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A statement for the party to sign, and what opens its concealed fields."""

    fact: Predicate
    disclosures: tuple[Disclosure, ...]


class Balances:
    """The balances of one register. Safe for several threads; of two that close one period one gets StateConflict."""

    def __init__(self, store: RegisterStore, terms: RegisterTerms, reports: ReportStore) -> None:
        self._store = store
        self._reports = reports
        self.areas = Areas.of(terms)
        # What is kept never changes, so a balance is read once; counts and reports stay on the disk.
        self._known: dict[str, tuple[Balance, ...]] = {}
        self._lock = threading.Lock()

    def names(self) -> tuple[str, ...]:
        """Every area that the terms name, of which a balance is kept, or in which something lies now."""
        sites = (row.values[0] for row in self._store.count_holdings(("site",)))
        lying = {self.areas.area_at.get(site, site) for site in sites if site}
        return tuple(sorted({*self.areas.places_in, *self._reports.load_names("balance"), *lying}))

    def closed(self) -> tuple[str, ...]:
        """The areas of which a closed balance is kept."""
        return self._reports.load_names("balance")

    def show(self, area: str, at: Instant, as_of: Instant | None = None) -> AreaBook:
        """One area's book. One query, whatever the number of components. Raises InvalidInput for an unknown area."""
        if area not in self.names():
            raise InvalidInput(
                f"no area {area!r}",
                path="AREA",
                remedy=f"one of {', '.join(self.names())}"
                if self.names()
                else "tell the register its places first: sekisho registry terms --write --place NAME=COUNTRY",
            )
        return self._book(area, at, as_of)

    def show_all(self, at: Instant, as_of: Instant | None = None) -> tuple[AreaBook, ...]:
        return tuple(self._book(area, at, as_of) for area in self.names())

    def _book(self, area: str, at: Instant, as_of: Instant | None) -> AreaBook:
        before = Instant(at.us + _JUST)
        sums = self._store.sum_lines(area, since=None, before=before, as_of=as_of)
        changes = _changes(sums)
        kept = self.balances(area)
        return AreaBook(
            area=area,
            country=self.areas.country_in.get(area, ""),
            keeper=self.areas.keeper_in.get(area, ""),
            at=at,
            as_of=as_of,
            held=sum(change.net for change in changes),
            changes=changes,
            last=kept[-1] if kept else None,
        )

    def balances(self, area: str) -> tuple[Balance, ...]:
        """The closed balances of an area, oldest first."""
        with self._lock:
            known = self._known.get(area, ())
            fresh = self._load(area, after=len(known))
            known = (*known, *(closed.balance for closed in fresh))
            self._known[area] = known
        return known

    def history(self, area: str) -> tuple[ClosedArea, ...]:
        """The closed balances of an area with counts and reports, oldest first. Raises Corrupt for what is none."""
        return self._load(area, after=0)

    def _load(self, area: str, *, after: int) -> tuple[ClosedArea, ...]:
        found = self._reports.load_all("balance", area, after=after)
        return tuple(_parse_closed(data, f"{area} {n}") for n, data in enumerate(found, after + 1))

    def close(
        self,
        area: str,
        *,
        party: str,
        until: Instant,
        now: Instant,
        inventory: Inventory | None = None,
        start: Instant | None = None,
    ) -> ClosedArea:
        """Close an area's next period and keep it. Raises what `close_balance` raises, and what the stores raise.

        1. Only the keeper of all the area's places closes it. 2. The period begins where the last one ended, the first
        one at `start`, or at the area's first line. 3. Balance and reports are made of the whole ledger. 4. They are
        kept as the next number; a crash before leaves the period open, and closing again gives the same balance if
        nothing came in between.
        """
        keeper = self.areas.keeper_in.get(area, "")
        if keeper and keeper != party:
            raise StateConflict(f"{area} is kept by {keeper}, not by {party}")
        kept = self.history(area)
        lines = tuple(self.load_ledger(area))
        previous = None
        if kept:
            previous = Closed(balance=kept[-1].balance, inventory=kept[-1].inventory)
        begins = _begin(area, previous, start, lines)
        closing = Closing(
            party=party,
            area=area,
            country=self.areas.country_in.get(area, "") or _NOWHERE,
            period=Span(start=begins, end=until),
            made=now,
        )
        balance = close_balance(closing, lines, previous, inventory)
        closed = self._write(balance, inventory, kept, lines)
        # Crash before: nothing was closed.
        self._reports.add("balance", area, balance.number, canonical(closed))
        return closed

    def _write(
        self,
        balance: Balance,
        inventory: Inventory | None,
        kept: Sequence[ClosedArea],
        lines: Sequence[LineRow],
    ) -> ClosedArea:
        describe = self._describe(lines, inventory)
        balances = [*(earlier.balance for earlier in kept), balance]
        reports = [change_reports(balances, lines, describe)[-1]]
        if inventory is not None:
            reports.append(inventory_report(balance, inventory, describe))
        reports.append(balance_report(balance))
        return ClosedArea(balance=balance, inventory=inventory, reports=tuple(reports))

    def check(self, area: str) -> tuple[Fault, ...]:
        """Quality control over all that is kept of an area, and whether its ledger still says what was reported."""
        kept = self.history(area)
        reports = [report for closed in kept for report in closed.reports]
        lines = tuple(self.load_ledger(area))
        faults = list(check_reports(reports))
        written = [report for report in reports if report.header.type == "ICR"]
        made = change_reports([closed.balance for closed in kept], lines)
        nets = (net_changes(written), net_changes(made))
        faults += [
            Fault(
                code="ledger-differs",
                area=area,
                report=f"ICR {old.header.number}",
                problem="the ledger gives another report of this period than was written",
            )
            for old, new in zip(written, made, strict=False)
            if booked_in(old) != booked_in(new)
            or nets[0].get(old.header.number) != nets[1].get(old.header.number)
        ]
        return tuple(faults)

    def load_ledger(self, area: str) -> Iterator[LineRow]:
        """Every line of an area, in the order in which they were stored."""
        after = 0
        while rows := self._store.load_lines(
            area, since=None, before=_NEVER, after=after, limit=PAGE
        ):
            yield from rows
            after = rows[-1].place

    def transit(self, now: Instant) -> tuple[TransitRow, ...]:
        """Movements that are not settled, oldest first."""
        return list_transit(self._store.load_open_movements(_NEVER), now)

    def stock(self, country: str, period: Span) -> NationalStock:
        """A country's stock over a period, from the ledgers of its areas. Raises InvalidInput without any area."""
        areas = [area for area in self.names() if self.areas.country_in.get(area) == country]
        if not areas:
            raise InvalidInput(f"no area lies in {country}", path="COUNTRY")
        opening = closing = 0
        nets: dict[str, int] = {}
        for area in areas:
            before = self._store.sum_lines(area, since=None, before=period.start)
            opening += sum(change.net for change in _changes(before))
            between = self._store.sum_lines(area, since=period.start, before=period.end)
            for change in _changes(between):
                nets[change.code] = nets.get(change.code, 0) + change.net
            whole = self._store.sum_lines(area, since=None, before=period.end)
            closing += sum(change.net for change in _changes(whole))
        return account_stock(country, opening, nets, closing)

    def _describe(
        self, lines: Iterable[LineRow], inventory: Inventory | None
    ) -> Callable[[str], str]:
        epcs = {line.epc for line in lines}
        if inventory is not None:
            epcs |= inventory.epcs
        ordered, known = sorted(epcs), {}
        for place in range(0, len(ordered), PAGE):
            found = self._store.load_standings(ordered[place : place + PAGE])
            for epc, standing in found.items():
                identity = standing.identity
                known[epc] = f"{identity.maker} {identity.model} {identity.component}"
        return lambda epc: known.get(epc, "not registered")


def _parse_closed(data: bytes, name: str) -> ClosedArea:
    try:
        return from_json(ClosedArea, parse_json(data, path=name, limit=MAX_KEPT), path=name)
    except InvalidInput as error:
        raise Corrupt(f"a kept balance cannot be read: {error}") from None


def _changes(sums: Mapping[tuple[str, bool], int]) -> tuple[Changed, ...]:
    codes = sorted({code for code, _ in sums})
    return tuple(
        Changed(
            code=code,
            booked=sums.get((code, False), 0),
            reversed=sums.get((code, True), 0),
            net=signed(code, sums.get((code, False), 0) - sums.get((code, True), 0)),
        )
        for code in codes
    )


def _begin(
    area: str, previous: Closed | None, start: Instant | None, lines: Sequence[LineRow]
) -> Instant:
    if previous is not None:
        last = previous.balance.period.end
        if start is not None and start != last:
            raise StateConflict(f"the last balance of {area} ended at {last}, not {start}")
        return last
    if start is not None:
        return start
    if not lines:
        raise StateConflict(
            f"nothing was ever booked in {area}", remedy="say when its first period starts"
        )
    return min(line.at for line in lines)


def draft_statements(closed: ClosedArea, draw: Draw) -> tuple[Draft, ...]:
    """What the party states of a closed balance: that it counted, where it did, and that the balance is closed.

    `draw` gives random bytes. Period and verdict are public; area, figures and the reports' salts are concealed.
    """
    drafts = [] if closed.inventory is None else [_draft_inventory(closed.inventory, draw)]
    return (*drafts, _draft_balance(closed, draw))


def _draft_inventory(inventory: Inventory, draw: Draw) -> Draft:
    salt = draw(SALT_BYTES)
    fields = {
        "area": inventory.area,
        "count": str(len(inventory.items)),
        "items_salt": salt.hex(),
    }
    concealed, disclosures = conceal_fields(fields, draw)
    fact = InventoryTaken(
        effective=inventory.taken,
        party=inventory.party,
        taken=inventory.taken,
        items=salted_digest(salt, [inventory.digest]),
        concealed=concealed,
    )
    return Draft(fact=fact, disclosures=disclosures)


def _draft_balance(closed: ClosedArea, draw: Draw) -> Draft:
    balance, salt = closed.balance, draw(SALT_BYTES)
    fields = {
        "area": balance.area,
        "number": str(balance.number),
        "opening": str(balance.opening),
        "increases": str(balance.increases),
        "decreases": str(balance.decreases),
        "book": str(balance.book),
        "counted": _said(balance.counted),
        "unaccounted": _said(balance.unaccounted),
        "cumulative": _said(balance.cumulative),
        "report_salt": salt.hex(),
    }
    concealed, disclosures = conceal_fields(fields, draw)
    fact = BalanceClosed(
        effective=balance.period.end,
        party=balance.party,
        period=balance.period,
        report=salted_digest(salt, [report.digest for report in closed.reports]),
        verdict=balance.verdict,
        concealed=concealed,
    )
    return Draft(fact=fact, disclosures=disclosures)


def _said(figure: int | None) -> str:
    return "not measured" if figure is None else str(figure)


def conceal_fields(
    fields: Mapping[str, str], draw: Draw
) -> tuple[tuple[str, ...], tuple[Disclosure, ...]]:
    """Digests in an order that tells nothing, and the disclosures by name."""
    made = [conceal(name, value, draw(SALT_BYTES)) for name, value in fields.items()]
    return tuple(sorted(digest for digest, _ in made)), tuple(found for _, found in made)
