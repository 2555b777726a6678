from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from sekisho.model.errors import InvalidInput
from sekisho.model.statements.shapes import Span
from sekisho.model.wire import canonical
from sekisho.registry.production import Account, Production, Quota, Scrap, parse_quotas, post_quota
from tests.registry.balance.worlds import at

ACCOUNTS: tuple[Account, ...] = ("granted", "replacement", "available", "used", "over")
MAY, JUNE = Span(start=at(0), end=at(744)), Span(start=at(744), end=at(1_464))
QUOTAS = (
    Quota(fab="fab-18", product="H100", period=MAY, dies=1_000),
    Quota(fab="fab-18", product="H100", period=JUNE, dies=1_000),
)


def made(dies: int | None, period: Span = MAY, **more: object) -> Production:
    fields = {"party": "maker", "fab": "fab-18", "product": "H100", "period": period, **more}
    return Production(good_dies=dies, **fields)  # type: ignore[arg-type]  # a test names them


def test_what_is_made_is_used_and_the_rest_is_available() -> None:
    """Granted = available + used."""
    may, june = post_quota(QUOTAS, [made(400), made(1_000, JUNE)])
    assert (may.available, may.used, may.over, may.verdict) == (600, 400, 0, "holds")
    assert (june.available, june.used, june.verdict) == (0, 1_000, "holds")


def test_what_is_made_beyond_the_quota_is_over_and_fails() -> None:
    """Unused quota of the month before does not help."""
    may, june = post_quota(QUOTAS, [made(400), made(1_001, JUNE)])
    assert (may.verdict, june.over, june.verdict) == ("holds", 1, "fails")


def test_destroyed_chips_give_a_replacement_up_to_its_limit() -> None:
    """100 may come back though 150 were destroyed."""
    quota = replace(
        QUOTAS[0], replacement=100, destroyed=(Scrap(certificate="c-1", issuer="r", dies=150),)
    )
    (state,) = post_quota([quota], [made(1_100)])
    assert (state.available, state.used, state.over, state.verdict) == (0, 1_100, 0, "holds")
    assert state.balance("replacement") == -100


def test_a_report_without_its_dies_leaves_the_quota_unverifiable() -> None:
    """Not reported is not nought."""
    (state, _) = post_quota(QUOTAS, [made(None)])
    assert (state.used, state.verdict, state.unknown) == (
        0,
        "unverifiable",
        (f"fab-18 from {at(0)}",),
    )


def test_the_register_may_know_of_more_than_the_fab_reports() -> None:
    """The larger figure is booked."""
    assert post_quota(QUOTAS, [made(900, registered=1_100)])[0].over == 100


def test_other_fabs_and_products_are_booked_elsewhere() -> None:
    """A quota without a product is for all of a fab's."""
    every = Quota(fab="fab-18", period=MAY, dies=1_500)
    reports = [made(900), made(700, product="B200"), made(9_999, fab="fab-19")]
    one, both = post_quota([QUOTAS[0], every], reports)
    assert (one.used, both.used, both.over) == (900, 1_600, 100)


reports = st.lists(st.integers(0, 700), max_size=5)


@given(reports, st.integers(0, 1_500), st.integers(0, 300), st.integers(0, 400))
def test_the_accounts_add_up_at_every_posting(
    dies: list[int], granted: int, replacement: int, destroyed: int
) -> None:
    """Double entry: every account together is nought, none but the sources below it, used is what was made."""
    quota = Quota(
        fab="fab-18",
        period=MAY,
        dies=granted,
        replacement=replacement,
        destroyed=(Scrap(certificate="c", issuer="r", dies=destroyed),),
    )
    days = [Span(start=at(n * 24), end=at(n * 24 + 24)) for n in range(len(dies))]
    (state,) = post_quota([quota], [made(d, p) for d, p in zip(dies, days, strict=True)])
    for count in range(len(state.postings) + 1):
        part = replace(state, postings=state.postings[:count])
        assert sum(part.balance(account) for account in ACCOUNTS) == 0
        assert part.available >= 0
    allowed = granted + min(replacement, destroyed)
    assert (state.used, state.over) == (sum(dies), max(0, sum(dies) - allowed))


def test_quotas_are_read_strictly() -> None:
    """There and back; two of one fab and product may not overlap."""
    assert parse_quotas(canonical(list(QUOTAS))) == QUOTAS
    with pytest.raises(InvalidInput, match=r"\[1\].period: overlaps another quota of fab-18"):
        parse_quotas(canonical([QUOTAS[0], QUOTAS[0]]))
    empty = replace(QUOTAS[0], period=Span(start=at(1), end=at(1)))
    with pytest.raises(InvalidInput, match="ends before it starts"):
        parse_quotas(canonical([empty]))
