"""Sums over a ledger: calendar years, half-open windows, any order, open rows, and what they fill into a request."""

from __future__ import annotations

import math
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.model.errors import InvalidInput
from sekisho.rules.accounts import Accounts, AccountTerms, account, with_so_far
from sekisho.rules.facts import AmountFact
from sekisho.rules.requests import (
    CloudUseRequest,
    ItemAsked,
    PartyAsked,
    SoFar,
    TransferRequest,
)

H100 = 15832


def sent(on: str | None, **fields: Any) -> TransferRequest:
    """One H100 to the Singapore house of the owner P on that day."""
    known: dict[str, Any] = {
        "kind": "transfer",
        "id": "t",
        "on": on,
        "activity": "export",
        "item": ItemAsked(chip="H100"),
        "count": 1,
        "origin": "US",
        "destination": "SG",
        "consignee": PartyAsked(name="P of Singapore", parent="P"),
        "end_user": PartyAsked(name="U"),
    }
    return TransferRequest(**{**known, **fields})


def used(on: str, flop: str | None = "10", owner: str | None = "O") -> CloudUseRequest:
    """A contract of the owner O."""
    return CloudUseRequest(
        kind="cloud-use", id="c", on=on, customer=PartyAsked(parent=owner), planned_flop=flop
    )


def span(fact: AmountFact) -> tuple[object, object]:
    return fact.low, fact.high


# --- sums -----------------------------------------------------------------------------------------


def test_a_parents_sum_is_that_of_the_calendar_year() -> None:
    """The last day of the old year and the first of the new are in different years."""
    books = account([sent("2025-12-31"), sent("2026-01-01", count=2), sent("2026-12-31", count=4)])
    assert span(books.parent_year_tpp("P", 2025)) == (H100, H100)
    assert span(books.parent_year_tpp("P", 2026)) == (6 * H100,) * 2
    assert span(books.parent_year_tpp("P", 2027)) == (0, 0)
    assert span(books.parent_year_tpp("Q", 2026)) == (0, 0)
    assert span(books.parent_year_tpp("P", 2026, date(2026, 12, 31))) == (2 * H100,) * 2


def test_a_countrys_sum_runs_from_a_day_on() -> None:
    """The first day counts."""
    books = account([sent("2024-12-31"), sent("2025-01-01", count=2), sent("2026-06-01")])
    assert span(books.country_tpp("SG", date(2025, 1, 1))) == (3 * H100,) * 2
    assert span(books.country_tpp("SG", date(2025, 1, 2))) == (H100, H100)
    assert span(books.country_tpp("MY", date(2025, 1, 1))) == (0, 0)


def test_an_end_users_quarter_ends_with_its_last_day() -> None:
    """Four quarters make the year."""
    days = ["2026-01-01", "2026-03-31", "2026-04-01", "2026-06-30", "2026-09-30", "2026-12-31"]
    books = account([sent(day) for day in days])
    quarters = [span(books.end_user_quarter_tpp("U", 2026, n))[0] for n in (1, 2, 3, 4)]
    assert quarters == [2 * H100, 2 * H100, H100, H100]
    with pytest.raises(InvalidInput, match="no quarter"):
        books.end_user_quarter_tpp("U", 2026, 5)


def test_a_window_is_half_open() -> None:
    """Thirty days that end with the day itself: the thirtieth day before is out, the twenty-ninth in."""
    books = account([used("2026-03-01", "1"), used("2026-03-02", "10"), used("2026-03-31", "100")])
    assert span(books.owner_window_flop("O", date(2026, 3, 31), 30)) == (110, 110)
    assert span(books.owner_window_flop("O", date(2026, 3, 31), 31)) == (111, 111)
    assert span(books.owner_window_flop("O", date(2026, 3, 30), 30)) == (11, 11)
    assert span(books.owner_window_flop("O", date(2026, 3, 31), 1)) == (100, 100)
    with pytest.raises(InvalidInput, match="no window"):
        books.owner_window_flop("O", date(2026, 3, 31), 0)


def test_a_transfer_within_a_country_moves_nothing_to_a_share() -> None:
    """It is a delivery to its market all the same."""
    books = account([sent("2026-01-01", activity="in-country", origin="SG")])
    assert span(books.parent_year_tpp("P", 2026)) == (0, 0)
    assert span(books.country_tpp("SG", date(2025, 1, 1))) == (0, 0)
    assert span(books.delivered("H100 SXM5", ["SG"], date(2026, 2, 1))) == (1, 1)


def test_a_row_that_leaves_open_whose_it_is_may_be_anybodys() -> None:
    """It raises the ceiling of every owner and the floor of none."""
    nobody = PartyAsked(name="somebody")
    books = account([sent("2026-01-01"), sent("2026-01-02", consignee=nobody, count=3)])
    assert span(books.parent_year_tpp("P", 2026)) == (H100, 4 * H100)
    assert span(books.parent_year_tpp("Q", 2026)) == (0, 3 * H100)
    assert books.parent_year_tpp("P", 2026).missing


def test_a_row_of_unknown_size_opens_its_own_period_only() -> None:
    """Infinity in January does not reach into February."""
    unknown = sent("2026-01-15", item=ItemAsked(chip="H1000"))
    books = account([unknown, sent("2026-02-01")])
    assert span(books.end_user_tpp("U", date(2026, 1, 1))) == (H100, math.inf)
    assert span(books.end_user_tpp("U", date(2026, 2, 1))) == (H100, H100)
    books = account([used("2026-01-01", None), used("2026-02-01")])
    assert span(books.owner_window_flop("O", date(2026, 2, 1), 10)) == (10, 10)
    assert span(books.owner_window_flop("O", date(2026, 2, 1), 60)) == (10, math.inf)


def test_a_row_that_does_not_say_how_it_went_may_count() -> None:
    """Export or within the country: the floor leaves it out."""
    books = account([sent("2026-01-01", activity=None)])
    assert span(books.parent_year_tpp("P", 2026)) == (0, H100)


def test_a_row_without_a_day_is_refused_by_its_number() -> None:
    """It belongs to no year."""
    with pytest.raises(InvalidInput, match=r"row 2 \(t\)\.on: names no day"):
        account([sent("2026-01-01"), sent(None)])


# --- laws -----------------------------------------------------------------------------------------

DAYS = st.dates(date(2025, 12, 20), date(2026, 1, 20)).map(date.isoformat)
ROWS: st.SearchStrategy[TransferRequest | CloudUseRequest] = st.one_of(
    st.builds(
        lambda day, count, chip, country, parent, user: sent(
            day,
            count=count,
            item=ItemAsked(chip=chip),
            destination=country,
            consignee=PartyAsked(parent=parent),
            end_user=PartyAsked(name=user),
        ),
        DAYS,
        st.sampled_from([1, 2, 1000, None]),
        st.sampled_from(["H100", "A40", "H1000"]),
        st.sampled_from(["SG", "MY", None]),
        st.sampled_from(["P", "Q", None]),
        st.sampled_from(["U", "V", None]),
    ),
    st.builds(used, DAYS, st.sampled_from(["1", "7", None]), st.sampled_from(["O", "P", None])),
)
LEDGERS = st.lists(ROWS, max_size=12)


def all_sums(books: Accounts) -> list[tuple[object, object]]:
    """Every kind of sum, over periods that cut the ledger in all ways."""
    found = [books.parent_year_tpp(p, year) for p in ("P", "Q") for year in (2025, 2026)]
    found += [books.country_tpp(c, date(2026, 1, 1)) for c in ("SG", "MY")]
    found += [books.end_user_quarter_tpp(u, 2025, 4) for u in ("U", "V")]
    found += [books.owner_window_flop(o, date(2026, 1, 3), d) for o in ("O", "P") for d in (1, 9)]
    found += [books.delivered(c, ["SG", "MY"], date(2026, 1, 7)) for c in ("A40", "H100 SXM5")]
    return [span(fact) for fact in found]


@given(LEDGERS, st.randoms())
def test_the_order_of_the_rows_makes_no_difference(rows: list[Any], random: Any) -> None:
    """Exactly, open rows included; and row by row is the same as all at once."""
    shuffled = list(rows)
    random.shuffle(shuffled)
    one_by_one = Accounts()
    for row in shuffled:
        one_by_one.add(row)
    assert all_sums(account(rows)) == all_sums(one_by_one)


@given(LEDGERS)
def test_sums_are_those_that_counting_gives(rows: list[Any]) -> None:
    """The year's sum of P against the plain definition."""
    sent_rows = [row for row in rows if isinstance(row, TransferRequest)]
    ours = [row for row in sent_rows if str(row.on) >= "2026-01-01"]
    tpp = {"H100": Fraction(H100), "A40": Fraction("2395.2")}

    def least(row: TransferRequest) -> Fraction:
        chip = row.item.chip
        return tpp.get(chip or "", Fraction(0)) * (row.count or 1)

    def is_open(row: TransferRequest) -> bool:
        return row.count is None or row.item.chip not in tpp

    low = sum((least(row) for row in ours if row.consignee == PartyAsked(parent="P")), Fraction(0))
    may = [row for row in ours if row.consignee in (PartyAsked(parent="P"), PartyAsked())]
    high = math.inf if any(map(is_open, may)) else sum(map(least, may), Fraction(0))
    assert span(account(rows).parent_year_tpp("P", 2026)) == (low, high)


@given(LEDGERS, st.dates(date(2025, 12, 25), date(2026, 1, 15)), st.integers(1, 20))
def test_a_period_is_the_sum_of_its_parts(rows: list[Any], day: date, days: int) -> None:
    """Two windows end to end are one: no day is lost, none is counted twice."""
    books = account(rows)
    whole = books.owner_window_flop("O", day, days + 5)
    late = books.owner_window_flop("O", day, days)
    early = books.owner_window_flop("O", day - timedelta(days), 5)
    assert (whole.low, whole.high) == (late.low + early.low, late.high + early.high)


# --- into a request -------------------------------------------------------------------------------


def test_what_was_left_out_is_filled_from_the_ledger() -> None:
    """Up to and with the day of the request, which itself is not in the ledger."""
    books = account([sent("2025-06-01"), sent("2026-02-01", count=2), sent("2026-02-02", count=4)])
    filled = with_so_far(sent("2026-02-01"), books)
    assert filled.so_far == SoFar(
        parent_year_tpp=str(2 * H100), country_tpp=str(3 * H100), end_user_tpp=str(3 * H100)
    )
    assert with_so_far(used("2026-02-01"), account([used("2026-01-15")])).owner_window_flop == "10"


def test_fractions_are_filled_exactly() -> None:
    """Three A40 are 7185.6."""
    books = account([sent("2026-01-01", item=ItemAsked(chip="A40"), count=3)])
    filled = with_so_far(sent("2026-02-01"), books)
    assert filled.so_far is not None
    assert filled.so_far.country_tpp == "7185.6"


def test_what_the_ledger_leaves_open_stays_missing() -> None:
    """An open sum is no figure: the request keeps its missing fact."""
    books = account([sent("2026-01-01", item=ItemAsked(chip="H1000"))])
    assert with_so_far(sent("2026-02-01"), books) == sent("2026-02-01")
    assert with_so_far(sent(None), books) == sent(None)
    nameless = used("2026-01-02", owner=None)
    assert with_so_far(nameless, account([used("2026-01-01")])) == nameless


def test_what_the_request_states_stays_unless_the_ledger_rules_it_out() -> None:
    """Inside an open sum it may be right; against an exact one it is an error, with path and remedy."""
    open_books = account([sent("2026-01-01", item=ItemAsked(chip="H1000"))])
    stated = sent("2026-02-01", so_far=SoFar(country_tpp="123"))
    assert with_so_far(stated, open_books) == stated
    with pytest.raises(InvalidInput) as caught:
        with_so_far(stated, account([sent("2026-01-01")]))
    assert caught.value.path == "so_far.country_tpp"
    assert "15832" in str(caught.value)
    stated_window = CloudUseRequest(
        kind="cloud-use",
        id="c",
        on="2026-02-01",
        customer=PartyAsked(parent="O"),
        owner_window_flop="7",
    )
    contracts = account([used("2026-01-15")])
    with pytest.raises(InvalidInput, match="owner_window_flop"):
        with_so_far(stated_window, contracts)


MARKETS = AccountTerms(market_here=("CN", "MO"), market_there=("US",))


@pytest.mark.parametrize(
    ("there", "here", "share"), [(8, 3, "0.5"), (8, 2, "0.375"), (4, 3, "1"), (0, 1, None)]
)
def test_a_share_of_another_market_counts_this_request(
    there: int, here: int, share: str | None
) -> None:
    """Chips of one product, delivered within the other market too; a share of nothing has no figure."""
    ledger = [sent("2026-01-02", destination="CN", count=here)]
    if there:
        ledger.append(
            sent("2026-01-01", activity="in-country", destination="US", origin="US", count=there)
        )
    ledger.append(sent("2026-01-03", destination="CN", count=50, item=ItemAsked(chip="A40")))
    asked = sent("2026-02-01", destination="MO")
    found = with_so_far(asked, account(ledger), MARKETS)
    assert found.so_far is not None
    assert found.so_far.market_share == share


def test_requests_to_other_places_have_no_market_share() -> None:
    """The rule does not ask of them."""
    found = with_so_far(sent("2026-02-01"), account([]), MARKETS)
    assert found.so_far is not None
    assert found.so_far.market_share is None


def test_the_last_day_of_the_calendar_is_a_day() -> None:
    """No day follows it, and nothing breaks."""
    books = account([sent("9999-12-31")])
    assert span(books.parent_year_tpp("P", 9999)) == (H100, H100)
    filled = with_so_far(sent("9999-12-31"), books)
    assert filled.so_far is not None
    assert filled.so_far.parent_year_tpp == str(H100)
