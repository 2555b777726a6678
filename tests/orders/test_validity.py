from __future__ import annotations

from typing import Any

import msgspec
import pytest

from sekisho.model.errors import SekishoError
from sekisho.model.statements import AccessTerms, OrderIssued, Scope
from sekisho.orders import (
    ExpiredOrder,
    ForeignOrder,
    OrderBook,
    OrderFault,
    StaleSignatures,
    UnwitnessedRelease,
    check_order,
    check_release,
    verify_issue,
    verify_on_sight,
)
from sekisho.signing import Charter
from tests.factory import NOW, ORIGIN, charter, order_issued
from tests.orders.books import CHARTER_DIGEST, book_of, known, pauses, resume_of

CHARTER = Charter(charter(), CHARTER_DIGEST)
EVERYBODY = Scope(everywhere=True)


def order(**changes: Any) -> OrderIssued:
    """A pause under the charter at hand, or what the changes make of it."""
    return order_issued(**{"charter_digest": CHARTER_DIGEST, **changes})


SOUND = {
    "pause that freezes": order(),
    "pause that stops": order(effect="checkpoint-then-stop", grace_s=300),
    "hold": order(kind="hold", expires=NOW.plus(86_400)),
    "cap": order(kind="cap", effect="cap", cap_percent=50),
    "suspend-access": order(
        kind="suspend-access", effect="suspend-access", access=AccessTerms(nationalities=("XA",))
    ),
    "resume": resume_of(*pauses(1)).order,
    "everywhere": order(scope=EVERYBODY),
    "72 hours for its quorum": order(issue_until=NOW.plus(72 * 3_600)),
}


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_order_breaks_no_rule(name: str) -> None:
    """Each kind in the form that it may have."""
    assert check_order(SOUND[name], CHARTER) == []


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"expires": NOW}, "expires before it begins"),
        ({"not_before": NOW.plus(3_600)}, "expires before it begins"),
        ({"issue_until": NOW}, "at most 72 h"),
        ({"issue_until": NOW.plus(72 * 3_600 + 1)}, "at most 72 h"),
        ({"kind": "hold", "expires": NOW.plus(86_401)}, "a hold lasts at most 24 h"),
        ({"kind": "hold", "expires": NOW.plus(86_401)}, "the charter allows 86400 s"),
        ({"kind": "hold", "effect": "checkpoint-then-stop"}, "a hold cannot have the effect"),
        ({"kind": "hold", "on_expiry": "refuse-until-resume"}, "a hold lapses"),
        ({"effect": "cap"}, "a pause cannot have the effect cap"),
        ({"effect": "lift"}, "a pause cannot have the effect lift"),
        ({"kind": "resume", "effect": "lift"}, "a resume names what it lifts"),
        ({"lifts": (pauses(1)[0].reference,)}, "and nothing else does"),
        ({"kind": "cap", "effect": "cap"}, "a cap says how many percent"),
        ({"cap_percent": 5}, "and nothing else does"),
        ({"kind": "suspend-access", "effect": "suspend-access"}, "says whose access it ends"),
        ({"access": AccessTerms()}, "says whose access it ends, and nothing else does"),
        ({"on_expiry": "lapse"}, "fixed by the charter: refuse-until-resume"),
        ({"scope": Scope()}, "say everywhere"),
        ({"scope": Scope(sites=("site-1",), everywhere=True)}, "and not both"),
        ({"grace_s": 3_601}, "above the charter's 3600 s"),
    ],
)
def test_each_rule_that_an_order_breaks_is_said(changes: dict[str, Any], problem: str) -> None:
    """In words that its drafter can act on."""
    problems = check_order(order(**changes), CHARTER)
    assert any(problem in item for item in problems)


def test_all_broken_rules_are_said_at_once() -> None:
    """An order is corrected in one go."""
    bad = order(expires=NOW, issue_until=NOW, effect="lift", scope=Scope(), grace_s=10**6)
    assert len(check_order(bad, CHARTER)) == 5


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"log": "log.example/other"}, ForeignOrder),
        ({"charter_digest": "d" * 64}, ForeignOrder),
        ({"scope": Scope()}, OrderFault),
        ({"not_before": NOW.plus(-20), "expires": NOW.plus(-10)}, ExpiredOrder),
        ({"not_before": NOW.plus(-20), "expires": NOW}, ExpiredOrder),
        ({"effective": NOW.plus(-20), "issue_until": NOW}, StaleSignatures),
    ],
    ids=["other log", "other charter", "fault", "expired", "expires now", "stale"],
)
def test_an_order_that_must_not_be_issued_is_refused_by_name(
    changes: dict[str, Any], error: type[SekishoError]
) -> None:
    """Another log or charter, a broken rule, expired, waited too long for its quorum."""
    with pytest.raises(error):
        verify_issue(order(**changes), CHARTER, log=ORIGIN, now=NOW)


def test_a_sound_order_may_be_issued_until_its_last_moment() -> None:
    """Both limits are half-open."""
    verify_issue(order(), CHARTER, log=ORIGIN, now=NOW)
    verify_issue(order(), CHARTER, log=ORIGIN, now=NOW.plus(3_599))
    verify_issue(order(not_before=NOW.plus(60)), CHARTER, log=ORIGIN, now=NOW)


def on_sight(
    item: OrderIssued, *, witnessed: bool = False, book: OrderBook | None = None, later: float = 0
) -> None:
    """Take an order as an agent would."""
    verify_on_sight(
        known(item, witnessed=witnessed),
        CHARTER,
        book or book_of(),
        log=ORIGIN,
        earliest=NOW.plus(later),
    )


def test_restricting_acts_on_sight() -> None:
    """A pause or hold without log or witness, also one that has not begun, also signatures gone stale."""
    on_sight(order())
    on_sight(order(kind="hold"))
    on_sight(order(not_before=NOW.plus(60)))
    on_sight(order(), later=3_599)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"log": "log.example/other"}, ForeignOrder),
        ({"charter_digest": "d" * 64}, ForeignOrder),
        ({"effect": "lift"}, OrderFault),
    ],
    ids=["other log", "other charter", "fault"],
)
def test_what_an_agent_must_not_take_is_refused_by_name(
    changes: dict[str, Any], error: type[SekishoError]
) -> None:
    """Witnessed or not."""
    for witnessed in (False, True):
        with pytest.raises(error):
            on_sight(order(**changes), witnessed=witnessed)


def test_an_expired_order_is_not_acted_on_but_its_number_is_taken() -> None:
    """Unwitnessed it is refused; witnessed it fills its place in the register and asks nothing any more."""
    hold = order(kind="hold")
    with pytest.raises(ExpiredOrder):
        on_sight(hold, later=3_600)
    on_sight(hold, witnessed=True, later=3_600)
    book = book_of(known(hold))
    assert book.in_force(NOW.plus(3_600)) == ()
    assert book.outstanding() == ()


def test_an_expired_pause_still_refuses_until_resume() -> None:
    """Its expiry ends nothing: it is taken on sight while its signatures are good, later with its proof."""
    brief = order(expires=NOW.plus(60), issue_until=NOW.plus(72 * 3_600 - 60))
    on_sight(brief, later=3_600)
    on_sight(brief, later=10**6, witnessed=True)
    with pytest.raises(StaleSignatures):
        on_sight(brief, later=10**6)


(PAUSE,) = pauses(1)
RESUME = resume_of(PAUSE).order


def test_a_release_needs_witness_and_head() -> None:
    """A resume acts once witnessed and once the register is known as far as what it lifts."""
    on_sight(RESUME, witnessed=True, book=book_of(PAUSE))
    with pytest.raises(UnwitnessedRelease, match="witnessed checkpoint"):
        on_sight(RESUME, book=book_of(PAUSE))
    with pytest.raises(UnwitnessedRelease, match="the newest head known is 0"):
        on_sight(RESUME, witnessed=True)
    with pytest.raises(UnwitnessedRelease, match="the newest head known is none"):
        on_sight(RESUME, witnessed=True, book=OrderBook())


def test_a_release_must_name_the_scope_that_it_lifts() -> None:
    """Signers of a narrow resume are not made to release a whole site."""
    narrow = resume_of(PAUSE, scope=Scope(hosts=("host-1",))).order
    assert check_release(narrow, book_of(PAUSE)) == [
        "its scope is not that of order pause/JP 1: repeat that scope, or say everywhere"
    ]
    with pytest.raises(OrderFault, match="scope"):
        on_sight(narrow, witnessed=True, book=book_of(PAUSE))
    everywhere = msgspec.structs.replace(RESUME, scope=EVERYBODY)
    assert check_release(everywhere, book_of(PAUSE)) == []
    assert check_release(narrow, book_of()) == []
