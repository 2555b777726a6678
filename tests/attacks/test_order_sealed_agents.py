"""Sealed orders at an agent: acted on when shown, sought when not, and every false showing refused by name."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest

from sekisho.model.membership import Membership
from sekisho.model.statements import OrderIssued, OrderOpened, OrderSealed, Scope
from sekisho.operations.sealing import show_host
from sekisho.orders.predicates import resolve_hosts
from sekisho.orders.sealed import make_sealed, open_sealed, seal_tree
from sekisho.orders.where import parse_where
from sekisho.ports.control import Feed, FeedItem
from sekisho.signing import Envelope, conceal, parse_disclosure
from tests.factory import AUTHORITY, OPERATOR, signed
from tests.fakes import QUORUM, FakeControl, Rig
from tests.sealed import SALTS

SITE = parse_where(["site is site-1"])
MINE = ("host-0", "host-1", "host-2")
OTHERS = ("host-0", "host-2", "host-3")
Shown = tuple[Membership | None, tuple[str, ...]]


@pytest.fixture
def rig() -> Rig:
    """A host whose work runs under a lease."""
    return Rig().started()


def inner(control: FakeControl, hosts: Sequence[str], **fields: object) -> OrderIssued:
    """An order of these hosts, as it lies in a sealed one."""
    scope = resolve_hosts(SITE, hosts, size=3, tree="0" * 64)
    envelope = control.order(scope=Scope(), resolved=scope, **fields)  # type: ignore[arg-type]  # a test's own fields
    fact = control.regime.verify(envelope.raw).predicate
    assert isinstance(fact, OrderIssued)
    return fact


def seal(
    control: FakeControl, *hosts: str, signers: Sequence[object] = QUORUM, **fields: object
) -> Envelope:
    """A sealed pause of these hosts, which the control plane can show."""
    order = inner(control, hosts, **fields)
    sealed, texts = make_sealed(order, hosts, SALTS, opens=order.effective.plus(3_600))
    envelope = signed(sealed, *signers)  # type: ignore[arg-type]  # a test's own signers
    control.concealed[envelope.digest] = texts
    control.scopes[envelope.digest] = frozenset(hosts)
    return envelope


def known(rig: Rig, register: str = "pause/JP") -> tuple[str, bool]:
    (order,) = rig.follower.book.orders[register].values()
    return order.membership, order.is_shown


def fetch_delay(rig: Rig) -> float:
    return float(rig.follower.regime.in_force().terms.order_fetch_delay_s)


def shows(rig: Rig, envelope: Envelope, shown: Shown, code: str) -> None:
    """The control plane shows this; it is refused by name, and the order stays sought."""
    rig.control.show_sealed = lambda *_: shown
    rig.control.issue(envelope)
    rig.run_for(4)
    assert code in rig.control.codes()
    assert rig.follower.lacking(rig.clock.now()) == (("pause/JP", 1),)


def stays_outstanding(rig: Rig) -> None:
    """Until its fetch delay is over work drains; then it rests."""
    rig.run_for(fetch_delay(rig) + 5)
    assert rig.doing() != "running"


# --- what holds without an attack ------------------------------------------------------------


def test_a_host_in_scope_halts_once_it_is_shown(rig: Rig) -> None:
    """The bare statement says that something is asked, the answer to its own request what."""
    rig.control.issue(seal(rig.control, *MINE))
    rig.run_for(2)

    assert known(rig) == ("in", True)
    assert rig.doing() == "frozen"
    assert "halted" in rig.control.stages()


def test_a_host_out_of_scope_works_on_and_learns_nothing(rig: Rig) -> None:
    """The salt and its absence are all that it is shown."""
    rig.control.issue(seal(rig.control, *OTHERS))
    rig.run_for(fetch_delay(rig) + 10)

    assert known(rig) == ("out", False)
    assert rig.doing() == "running"


def test_it_acts_by_hand_without_log_or_feed(rig: Rig) -> None:
    """A file with the envelope, both disclosures and the proof is enough for a pause on sight."""
    envelope = seal(rig.control, *MINE)
    rig.control.is_silent = True
    shown, texts = _inside(rig, envelope)
    item = FeedItem(envelope=envelope.raw, membership=shown, disclosures=texts)
    rig.duty.take_carried(Feed(next=0, items=(item,)))
    rig.run_for(2)

    assert rig.doing() == "frozen"


def test_a_restart_remembers_what_was_shown(rig: Rig) -> None:
    """The disclosures lie in the agent's own file, so that no control plane has to show them again."""
    rig.control.issue(seal(rig.control, *MINE))
    rig.run_for(2)
    rig.control.is_silent = True
    rig.wake()
    rig.run_for(1)

    assert known(rig) == ("in", True)
    assert rig.doing() == "frozen"


def test_a_resume_everywhere_lifts_it(rig: Rig) -> None:
    """Whoever saw its scope and whoever did not agree on what is in force."""
    rig.control.issue(seal(rig.control, *MINE))
    rig.run_for(2)
    (order,) = rig.control.book.orders["pause/JP"].values()
    resume = rig.control.order(
        kind="resume",
        effect="lift",
        on_expiry="lapse",
        scope=Scope(everywhere=True),
        lifts=(order.reference,),
    )
    rig.control.issue(resume)
    rig.run_for(4)

    assert rig.doing() == "running"


def test_an_opening_shows_it_to_everybody(rig: Rig) -> None:
    """A host that was out of scope reads it, and is no more in scope than before."""
    envelope = seal(rig.control, *OTHERS)
    rig.control.issue(envelope)
    rig.run_for(3)
    opening(rig, envelope, rig.control.concealed[envelope.digest])

    assert known(rig) == ("out", True)
    assert rig.doing() == "running"


# --- attacks ---------------------------------------------------------------------------------


def test_a_sealed_order_with_too_few_keys(rig: Rig) -> None:
    """Sealing lowers no quorum."""
    rig.control.show(seal(rig.control, *MINE, signers=AUTHORITY[:2]))
    rig.run_for(1)

    assert "not-authorised" in rig.control.codes()
    assert rig.doing() == "running"


def test_shown_to_some_hosts_only(rig: Rig) -> None:
    """A host that is kept in the dark seeks the order, takes no new work, and rests after the fetch delay."""
    rig.control.show_sealed = lambda *_: (None, ())
    rig.control.issue(seal(rig.control, *MINE))
    rig.run_for(3)

    assert rig.follower.lacking(rig.clock.now()) == (("pause/JP", 1),)
    stays_outstanding(rig)


def test_the_salt_alone_shows_no_absence(rig: Rig) -> None:
    """Without a proof nobody is out."""
    envelope = seal(rig.control, *OTHERS)
    _, texts = _inside(rig, envelope)
    rig.control.show_sealed = lambda *_: (None, texts)
    rig.control.issue(envelope)
    rig.run_for(3)

    assert known(rig)[0] == "unknown"
    stays_outstanding(rig)


def test_absence_forged_with_another_order_s_tree(rig: Rig) -> None:
    """A proof under another root is named, and the host stays bound to seek."""
    envelope = seal(rig.control, *MINE)
    other = seal(rig.control, *OTHERS)
    shown, texts = _inside(rig, other)
    salt = tuple(t for t in _both(rig, envelope) if parse_disclosure(t).name == "salt")
    shows(rig, envelope, (shown, salt), "forged-membership")
    assert texts
    stays_outstanding(rig)


def test_another_host_s_absence(rig: Rig) -> None:
    """A true proof that host-9 is out says nothing of host-1."""
    envelope = seal(rig.control, *MINE)
    shown, texts = rig_inside(rig, envelope, "host-9")
    shows(rig, envelope, (shown, texts), "foreign-membership")
    stays_outstanding(rig)


def test_absence_under_a_false_salt(rig: Rig) -> None:
    """A salt that the statement does not carry is no salt of it."""
    envelope = seal(rig.control, *MINE)
    _, false = conceal("salt", "ab" * 32, bytes(16))
    shown, _ = _inside(rig, envelope)
    shows(rig, envelope, (shown, (false.text,)), "forged-disclosure")
    stays_outstanding(rig)


def test_inner_order_of_another_number_or_kind(rig: Rig) -> None:
    """What was signed outside binds what is inside: a milder order cannot be slipped under it."""
    order = inner(rig.control, MINE)
    later = msgspec.structs.replace(order, expires=order.expires.plus(60))
    sealed, texts = make_sealed(later, MINE, SALTS, opens=order.effective.plus(3_600))
    bent = msgspec.structs.replace(sealed, expires=order.expires)
    envelope = signed(bent, *QUORUM)
    rig.control.concealed[envelope.digest] = texts
    rig.control.scopes[envelope.digest] = frozenset(MINE)
    shows(rig, envelope, (None, texts), "forged-seal")
    stays_outstanding(rig)


def test_two_inner_orders_under_one_digest(rig: Rig) -> None:
    """With a third digest its signers could show another host another order: none of them is taken."""
    order = inner(rig.control, MINE)
    sealed, texts = make_sealed(order, MINE, SALTS, opens=order.effective.plus(3_600))
    mild = msgspec.structs.replace(order, effect="freeze")
    second, more = make_sealed(
        mild,
        MINE,
        msgspec.structs.replace(SALTS, order=bytes(16)),
        opens=order.effective.plus(3_600),
    )
    extra = next(d for d in second.concealed if d not in sealed.concealed)
    bent = msgspec.structs.replace(sealed, concealed=(*sealed.concealed, extra))
    assert texts != more
    rig.control.show(signed(bent, *QUORUM))
    rig.run_for(1)

    assert "order-fault" in rig.control.codes()
    assert rig.doing() == "running"


def test_a_sealed_resume(rig: Rig) -> None:
    """A release that few can read is none, whatever is inside."""
    rig.control.issue(rig.control.order())
    rig.run_for(2)
    assert rig.doing() == "frozen"
    (order,) = rig.control.book.orders["pause/JP"].values()
    release = inner(
        rig.control,
        MINE,
        kind="resume",
        effect="lift",
        on_expiry="lapse",
        lifts=(order.reference,),
    )
    sealed, texts = make_sealed(release, MINE, SALTS, opens=release.effective.plus(3_600))
    envelope = signed(sealed, *QUORUM)
    rig.control.concealed[envelope.digest] = texts
    rig.control.admit(envelope)
    rig.run_for(3)

    assert "order-fault" in rig.control.codes()
    assert rig.doing() == "frozen"


def test_number_taken_twice_once_sealed_and_once_not(rig: Rig) -> None:
    """A sealed order stands at its number like any other: a second digest there is the attack."""
    first, second = seal(rig.control, *MINE), rig.control.order(scope=Scope(sites=("elsewhere",)))
    rig.control.show(first)
    rig.run_for(0.5)
    rig.control.show(second)
    rig.run_for(1)

    assert "two-digests-at-one-number" in rig.control.codes()


def test_opened_with_another_content(rig: Rig) -> None:
    """An opening that shows what was never sealed changes nothing, and is a finding."""
    envelope = seal(rig.control, *OTHERS)
    rig.control.issue(envelope)
    rig.run_for(3)
    other = seal(rig.control, *MINE, grace_s=5)
    opening(rig, envelope, rig.control.concealed[other.digest])

    assert known(rig) == ("out", False)
    assert "forged-seal" in rig.control.codes()


def test_a_hold_that_is_shown_late_counts_from_then_on(rig: Rig) -> None:
    """A hold in the dark takes no other hold's place; shown, it is held against the next one."""
    lasts = rig.control.now().plus(3_600)
    hold = {
        "expires": lasts,
        "kind": "hold",
        "effect": "freeze",
        "on_expiry": "lapse",
        "grace_s": 0,
    }
    first = seal(rig.control, *MINE, signers=AUTHORITY[:2], **hold)
    rig.control.issue(first)
    rig.run_for(3)
    assert known(rig, "hold/JP") == ("in", True)
    assert rig.follower.holds.book.find(first.digest) is not None


def opening(rig: Rig, envelope: Envelope, texts: tuple[str, ...]) -> None:
    (order,) = rig.control.book.orders["pause/JP"].values()
    assert order.digest == envelope.digest
    fact = OrderOpened(effective=rig.clock.now(), order=order.reference, disclosures=texts)
    rig.control.admit(signed(fact, OPERATOR))
    rig.run_for(1)


def _both(rig: Rig, envelope: Envelope) -> tuple[str, ...]:
    return rig.control.concealed[envelope.digest]


def _inside(rig: Rig, envelope: Envelope) -> Shown:
    return rig_inside(rig, envelope, "host-1")


def rig_inside(rig: Rig, envelope: Envelope, host: str) -> Shown:
    """What a host would be shown of an order that no log holds yet."""
    sealed = rig.control.regime.verify(envelope.raw).predicate
    assert isinstance(sealed, OrderSealed)
    texts = rig.control.concealed[envelope.digest]
    salt = open_sealed(sealed, texts).salt or b""
    tree = seal_tree(salt, rig.control.scopes[envelope.digest], sealed.leaves)
    return show_host(tree, salt, texts, host)
