"""Who may use which model: the three answers, classes known and unknown, and the strictest order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.access.picture import (
    AccessOrder,
    AccessPicture,
    AccessState,
    Served,
    ServedModel,
    UserClass,
    decide_access,
    draw_models,
    is_refused,
    state_of,
)
from sekisho.model.statements import AccessTerms, OrderIssued, OrderReference, Scope
from sekisho.orders import HostFacts, KnownOrder
from tests.factory import NOW, order_issued

FACTS = HostFacts(host="host-1", site="site-1", canary="canary-1")
NAMES = ("XA", "XB", "XC", "XA-01")


def suspension(terms: AccessTerms, **fields: object) -> KnownOrder:
    order = order_issued(
        kind="suspend-access",
        effect="suspend-access",
        charter_digest="0" * 64,
        access=terms,
        **fields,  # type: ignore[arg-type]  # a test's own fields
    )
    return KnownOrder(order=order, digest="a" * 64, witnessed=True)


def drawn(*known: KnownOrder, model: str = "model-1", obstacle: str = "") -> ServedModel:
    return draw_models(known, [Served(model=model, facts=FACTS, obstacle=obstacle)])[0]


def picture(*models: ServedModel, outstanding: bool = False) -> AccessPicture:
    return AccessPicture(
        host="host-1",
        log="log",
        sequence=1,
        written=NOW,
        until=NOW.plus(60),
        models=models,
        outstanding=outstanding,
    )


@pytest.mark.parametrize(
    ("terms", "user", "refused"),
    [
        (AccessTerms(), UserClass(nationality="XB"), True),
        (AccessTerms(nationalities=("XA",)), UserClass(nationality="XA"), True),
        (AccessTerms(nationalities=("XA",)), UserClass(nationality="XB"), False),
        (AccessTerms(nationalities=("XA",)), UserClass(), True),
        (AccessTerms(nationalities=("XA",), unknown="serve"), UserClass(), False),
        (AccessTerms(jurisdictions=("XA",)), UserClass(nationality="XA"), True),
        (AccessTerms(jurisdictions=("XA",), unknown="serve"), UserClass(nationality="XA"), False),
        (
            AccessTerms(nationalities=("XA",), jurisdictions=("XB",), unknown="serve"),
            UserClass(jurisdiction="XB"),
            True,
        ),
        (
            AccessTerms(nationalities=("XA",), jurisdictions=("XB",)),
            UserClass(nationality="XC"),
            True,
        ),
        (AccessTerms(jurisdictions=("XA",)), UserClass(jurisdiction="XA-01"), True),
        (AccessTerms(jurisdictions=("XA-01",)), UserClass(jurisdiction="XA"), True),
        (
            AccessTerms(jurisdictions=("XA-01",), unknown="serve"),
            UserClass(jurisdiction="XA"),
            False,
        ),
        (AccessTerms(jurisdictions=("XA-01",)), UserClass(jurisdiction="XA-02"), False),
    ],
)
def test_a_class_is_refused_where_any_limb_holds_and_unknown_as_the_order_says(
    terms: AccessTerms, user: UserClass, *, refused: bool
) -> None:
    """Any limb that holds refuses; where none is known to hold, what nobody asserted goes by the order's word."""
    assert is_refused(terms, user) is refused


_LISTS = st.lists(st.sampled_from(NAMES), max_size=3, unique=True).map(tuple)
_TERMS = st.builds(
    AccessTerms,
    nationalities=_LISTS,
    jurisdictions=_LISTS,
    unknown=st.sampled_from(["refuse", "serve"]),
)
_USERS = st.builds(
    UserClass,
    nationality=st.none() | st.sampled_from(NAMES),
    jurisdiction=st.none() | st.sampled_from(NAMES),
)


@given(st.lists(_TERMS, max_size=4), _TERMS, _USERS)
def test_one_more_order_never_serves_anybody(
    terms: list[AccessTerms], more: AccessTerms, user: UserClass
) -> None:
    """Whom some orders refuse, these and one more refuse as well."""
    some = picture(drawn(*(suspension(each) for each in terms)))
    all_of_them = picture(drawn(*(suspension(each) for each in [*terms, more])))
    before = decide_access(some, user, "model-1", NOW)
    after = decide_access(all_of_them, user, "model-1", NOW)
    assert before.serve or not after.serve


@given(_TERMS, st.sampled_from(NAMES), st.sampled_from(NAMES))
def test_to_assert_less_never_helps_where_unknown_is_refused(
    terms: AccessTerms, nationality: str, jurisdiction: str
) -> None:
    """Whoever is refused with both asserted is refused with less, unless the order serves the unknown."""
    whole = UserClass(nationality=nationality, jurisdiction=jurisdiction)
    strict = AccessTerms(nationalities=terms.nationalities, jurisdictions=terms.jurisdictions)
    if is_refused(strict, whole):
        assert is_refused(strict, UserClass(nationality=nationality))
        assert is_refused(strict, UserClass(jurisdiction=jurisdiction))
        assert is_refused(strict, UserClass())


@pytest.mark.parametrize(
    ("orders", "obstacle", "state"),
    [
        ((), "", "open"),
        ((AccessTerms(nationalities=("XA",)),), "", "restricted"),
        ((AccessTerms(nationalities=("XA",)), AccessTerms()), "", "closed"),
        ((), "revoked", "closed"),
    ],
)
def test_the_state_is_that_of_the_strictest_order(
    orders: tuple[AccessTerms, ...], obstacle: str, state: AccessState
) -> None:
    """Open, restricted where some are refused, closed where everybody is."""
    told = [
        AccessOrder(
            order=OrderReference(register="r", number=1, digest="0" * 64),
            terms=terms,
            legal_basis="law",
            appeal="court",
            expires=NOW,
        )
        for terms in orders
    ]
    assert state_of(told, obstacle) == state


def test_an_order_on_another_model_or_place_is_not_over_this_one() -> None:
    """Models that it does not name and access points outside its scope are left alone."""
    other_model = suspension(AccessTerms(models=("model-9",)))
    other_site = suspension(AccessTerms(), scope=Scope(sites=("site-9",)))
    assert drawn(other_model, other_site).state == "open"


def test_a_pause_is_no_order_on_access() -> None:
    """What ends work is the agent's to follow; the gate goes by suspensions of access."""
    pause = KnownOrder(order=order_issued(charter_digest="0" * 64), digest="b" * 64)
    assert drawn(pause).state == "open"


def test_a_drill_refuses_the_canary_alone() -> None:
    """A drill on access must not meet real users."""
    drill = suspension(AccessTerms(), drill=True)
    assert drawn(drill).state == "open"
    assert drawn(drill, model="canary-1").state == "closed"


def test_an_order_with_a_field_that_we_do_not_know_closes_the_model() -> None:
    """What restricts acts all the same: at its strictest."""
    known = suspension(AccessTerms(models=("model-1",), nationalities=("XA",)), crit=("softer",))
    assert drawn(known).state == "closed"
    assert drawn(known, model="model-2").state == "open"


def test_an_order_without_terms_closes_every_model() -> None:
    """A suspension that says nothing of whom it meets meets everybody."""
    order: OrderIssued = order_issued(
        kind="suspend-access", effect="suspend-access", charter_digest="0" * 64
    )
    assert drawn(KnownOrder(order=order, digest="c" * 64)).state == "closed"


def test_a_refusal_names_the_order_and_nothing_of_the_user() -> None:
    """Register, number and law are in the decision; the class is not."""
    known = suspension(AccessTerms(nationalities=("XA",)))
    told = decide_access(
        picture(drawn(known)), UserClass(nationality="XA", asserted_by="kyc-7"), "model-1", NOW
    )
    assert (told.code, told.orders[0].order.number) == ("access-suspended", 1)
    assert told.orders[0].legal_basis == "Test act, section 1"
    assert "XA" not in " ".join(told.reasons)
    assert "kyc-7" not in str(told)


@pytest.mark.parametrize(
    ("held", "seconds", "model", "code"),
    [
        (None, 0, "model-1", "picture-stale"),
        (picture(drawn()), 60, "model-1", "picture-stale"),
        (picture(drawn()), 59, "model-1", "served"),
        (picture(drawn()), 0, "model-9", "model-not-served"),
        (picture(drawn(), outstanding=True), 0, "model-1", "order-outstanding"),
        (picture(drawn(obstacle="revoked")), 0, "model-1", "licence-not-in-force"),
    ],
)
def test_who_cannot_tell_refuses(
    held: AccessPicture | None, seconds: int, model: str, code: str
) -> None:
    """No picture, one that ran out, a model never declared, an order not yet known, a licence gone."""
    told = decide_access(held, UserClass(nationality="XB"), model, NOW.plus(seconds))
    assert told.code == code
