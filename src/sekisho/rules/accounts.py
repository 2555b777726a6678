"""What has gone before, added up from a ledger of earlier transfers and contracts: by owner, country, user, market.

A sum is an interval, as every amount here: a row whose parent nobody named may belong to any parent, a row whose chip
nobody knows may be of any size. What a sum leaves open is not filled into a request: it stays a missing fact.

Which rows count is the caller's choice (a rule speaks of one class of items); each row that is given counts. Transfers
within a country move no chips to a parent's or a country's share, and are counted as deliveries to their market only.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from fractions import Fraction
from typing import Final, TypeVar

import msgspec

from sekisho.model.chips import ChipTable, known_chips
from sekisho.model.errors import InvalidInput
from sekisho.model.names import fold_name
from sekisho.rules.facts import AmountFact, facts_of
from sekisho.rules.facts.shapes import Amount, exactly, plus, ratio
from sekisho.rules.facts.transfers import shipment_chips
from sekisho.rules.requests import CloudUseRequest, PartyAsked, SoFar, TransferRequest
from sekisho.rules.running_sums import ANYBODY, UNKEYED, RunningSums

__all__ = ["AccountTerms", "Accounts", "account", "with_so_far"]

_EPOCH: Final = date.min.toordinal()
_FOR_EVER: Final = date.max.toordinal() + 1
Row = TypeVar("Row", TransferRequest, CloudUseRequest)


class AccountTerms(msgspec.Struct, frozen=True, kw_only=True):
    """From when sums run and which markets are compared, as a pack's text has it; dates as 2025-01-01.

    `owner_window_days` is the length of the sliding window that ends with the request's day. `market_here` over
    `market_there` is the share that a rule limits: what was delivered to the one over what was delivered to the other.
    """

    country_since: str = "2025-01-01"
    end_user_since: str = "0001-01-01"
    owner_window_days: int = 30
    market_here: tuple[str, ...] = ()
    market_there: tuple[str, ...] = ()


class Accounts:
    """Running sums by key and day; adding rows in another order gives the same sums."""

    def __init__(self, chips: ChipTable | None = None) -> None:
        self._chips = chips if chips is not None else known_chips()
        self._parents = RunningSums()
        self._countries = RunningSums()
        self._end_users = RunningSums()
        self._owners = RunningSums()
        self._deliveries: defaultdict[str, RunningSums] = defaultdict(RunningSums)

    def add(self, row: TransferRequest | CloudUseRequest) -> None:
        """Take one row into the sums. Raises InvalidInput where it names no day."""
        day = _day(row)
        if isinstance(row, CloudUseRequest):
            self._owners.add(_parent(row.customer), day, _planned(row))
            return
        facts = facts_of(row, self._chips)
        tpp, count = facts["shipment_tpp"], facts["shipment_chips"]
        if not isinstance(tpp, AmountFact) or not isinstance(count, AmountFact):
            raise TypeError("a shipment's size is an amount")
        market = row.destination or (row.origin if row.activity == "in-country" else None)
        self._deliveries[self._product(row)].add(market or ANYBODY, day, count)
        if row.activity == "in-country":
            return
        moved = tpp if row.activity is not None else _perhaps(tpp, "activity")
        self._parents.add(_parent(_recipient(row)), day, moved)
        self._countries.add(row.destination or ANYBODY, day, moved)
        self._end_users.add(_name(_end_user(row)), day, moved)

    def parent_year_tpp(self, parent: str, year: int, until: date | None = None) -> AmountFact:
        """TPP to an ultimate parent in a calendar year, all exporters; `until` is the first day not counted."""
        end = date(year, 12, 31).toordinal() + 1
        last = end if until is None else min(end, until.toordinal())
        return self._parents.total(fold_name(parent), date(year, 1, 1).toordinal(), last)

    def country_tpp(self, country: str, since: date, until: date | None = None) -> AmountFact:
        """TPP that went to a country from `since` on."""
        return self._countries.total(country, since.toordinal(), _end(until))

    def end_user_tpp(self, name: str, since: date, until: date | None = None) -> AmountFact:
        """TPP that went to an end user from `since` on."""
        return self._end_users.total(fold_name(name), since.toordinal(), _end(until))

    def end_user_quarter_tpp(self, name: str, year: int, quarter: int) -> AmountFact:
        """TPP that went to an end user in one quarter, 1 to 4."""
        if quarter not in {1, 2, 3, 4}:
            raise InvalidInput(f"{quarter} is no quarter", path="quarter", remedy="write 1 to 4")
        start = date(year, 3 * quarter - 2, 1).toordinal()
        end = (date(year + 1, 1, 1) if quarter == 4 else date(year, 3 * quarter + 1, 1)).toordinal()
        return self._end_users.total(fold_name(name), start, end)

    def owner_window_flop(self, owner: str, day: date, days: int) -> AmountFact:
        """FLOP of an owner over all providers in the window of so many days that ends with `day`: (day - days, day]."""
        if days < 1:
            raise InvalidInput(f"{days} is no window", path="days", remedy="write 1 or more")
        end = day.toordinal() + 1
        return self._owners.total(fold_name(owner), end - days, end)

    def delivered(
        self, product: str, countries: Iterable[str], until: date | None = None
    ) -> AmountFact:
        """Chips of a product that were delivered to these countries before `until`, within them too."""
        end, keys = _end(until), set(countries)
        unnamed = self._sums_of(ANYBODY).total_of(keys, _EPOCH, end)
        if not product:
            return unnamed
        known = self._sums_of(product).total_of(keys, _EPOCH, end)
        return plus(known, _perhaps(unnamed, UNKEYED)) if unnamed.high else known

    def product_of(self, request: TransferRequest) -> str:
        """The name under which deliveries of a request's item are counted."""
        return self._product(request)

    def _sums_of(self, product: str) -> RunningSums:
        return self._deliveries.get(product) or RunningSums()

    def _product(self, row: TransferRequest) -> str:
        if row.item.spec is not None:
            return row.item.spec.name
        chip = self._chips.find(row.item.chip) if row.item.chip is not None else None
        return chip.name if chip is not None else row.item.chip or ANYBODY


def account(
    rows: Iterable[TransferRequest | CloudUseRequest], *, chips: ChipTable | None = None
) -> Accounts:
    """The sums of a whole ledger. Raises InvalidInput with the row's number where it names no day."""
    accounts = Accounts(chips)
    for number, row in enumerate(rows, 1):
        try:
            accounts.add(row)
        except InvalidInput as error:
            what = error.message.removeprefix(f"{error.path}: ")
            where = f"row {number} ({row.id}).{error.path}"
            raise InvalidInput(what, path=where, remedy=error.remedy) from None
    return accounts


# --- into a request -------------------------------------------------------------------------------


def with_so_far(request: Row, accounts: Accounts, terms: AccountTerms | None = None) -> Row:
    """The request with what it left out of its past, up to and with its own day, as far as the ledger tells exactly.

    What the request states stays. Raises InvalidInput where the ledger says otherwise. A request without a day has no
    past, and stays as it is.
    """
    if request.on is None:
        return request
    asked = terms if terms is not None else AccountTerms()
    if isinstance(request, CloudUseRequest):
        return _with_window(request, accounts, asked)
    return _with_sums(request, accounts, asked)


def _with_window(
    request: CloudUseRequest, accounts: Accounts, terms: AccountTerms
) -> CloudUseRequest:
    owner = _parent(request.customer)
    if not owner:
        return request
    used = accounts.owner_window_flop(owner, _day(request), terms.owner_window_days)
    flop = _agreed(request.owner_window_flop, used, "owner_window_flop")
    return msgspec.structs.replace(request, owner_window_flop=flop)


def _with_sums(
    request: TransferRequest, accounts: Accounts, terms: AccountTerms
) -> TransferRequest:
    day = _day(request)
    until = _after(day)
    parent, user = _parent(_recipient(request)), _name(_end_user(request))
    country = request.destination or ANYBODY
    sums: dict[str, AmountFact] = {}
    if parent:
        sums["parent_year_tpp"] = accounts.parent_year_tpp(parent, day.year, until)
    if country:
        since = date.fromisoformat(terms.country_since)
        sums["country_tpp"] = accounts.country_tpp(country, since, until)
    if user:
        since = date.fromisoformat(terms.end_user_since)
        sums["end_user_tpp"] = accounts.end_user_tpp(user, since, until)
    if country in terms.market_here:
        sums["market_share"] = _market_share(request, accounts, terms, until)
    return _filled(request, sums)


def _market_share(
    request: TransferRequest, accounts: Accounts, terms: AccountTerms, until: date | None
) -> AmountFact:
    """Deliveries here, this one counted, over deliveries there."""
    product = accounts.product_of(request)
    before = accounts.delivered(product, terms.market_here, until)
    this = shipment_chips(request.count, request.item.chips_each)
    return ratio(plus(before, this), accounts.delivered(product, terms.market_there, until))


def _filled(request: TransferRequest, sums: dict[str, AmountFact]) -> TransferRequest:
    stated = request.so_far or SoFar()
    told = {
        name: _agreed(getattr(stated, name), amount, f"so_far.{name}")
        for name, amount in sums.items()
    }
    filled = msgspec.structs.replace(stated, **told)
    return request if filled == stated else msgspec.structs.replace(request, so_far=filled)


def _agreed(stated: str | None, amount: AmountFact, path: str) -> str | None:
    """What was stated, else what the ledger tells exactly; a ledger that rules the statement out is an error."""
    if stated is not None:
        if not amount.low <= Fraction(stated) <= amount.high:
            raise InvalidInput(
                f"{stated} is stated, and the ledger tells {_words(amount)}",
                path=path,
                remedy="correct the statement or the ledger, or leave the field out",
            )
        return stated
    return _text(amount.low) if amount.low == amount.high else None


def _words(amount: AmountFact) -> str:
    low = _text(amount.low) or "a fraction"
    if amount.low == amount.high:
        return low
    return f"{low} or more"


def _text(amount: Amount) -> str | None:
    """A decimal of at most six places, or None where the amount has no such form."""
    if amount == math.inf:
        return None
    scaled = Fraction(amount) * 10**6
    if scaled.denominator != 1:
        return None
    whole, rest = divmod(scaled.numerator, 10**6)
    return f"{whole}.{rest:06d}".rstrip("0").rstrip(".")


# --- rows and their keys --------------------------------------------------------------------------


def _day(row: TransferRequest | CloudUseRequest) -> date:
    if row.on is None:
        raise InvalidInput("names no day", path="on", remedy="write `on`, such as 2026-02-28")
    return date.fromisoformat(row.on)


def _after(day: date) -> date | None:
    """The first day after; None after the last day that there is."""
    return None if day == date.max else date.fromordinal(day.toordinal() + 1)


def _end(until: date | None) -> int:
    return _FOR_EVER if until is None else until.toordinal()


def _recipient(row: TransferRequest) -> PartyAsked | None:
    """Whose parent the items go to: the consignee, or the end user who is one."""
    return row.consignee or (row.end_user if row.end_user_is_consignee else None)


def _end_user(row: TransferRequest) -> PartyAsked | None:
    return row.end_user or (row.consignee if row.end_user_is_consignee else None)


def _parent(party: PartyAsked | None) -> str:
    return fold_name((party.parent if party is not None else None) or ANYBODY)


def _name(party: PartyAsked | None) -> str:
    return fold_name((party.name if party is not None else None) or ANYBODY)


def _planned(row: CloudUseRequest) -> AmountFact:
    if row.planned_flop is None:
        return AmountFact(low=0, high=math.inf, missing=("planned_flop",))
    return exactly(int(row.planned_flop))


def _perhaps(amount: AmountFact, missing: str) -> AmountFact:
    """An amount that may have to be counted, or not."""
    return AmountFact(low=0, high=amount.high, missing=(missing,))
