"""Sealed orders that a desk, a signer or a depositor must not take: each bend of one is refused by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sekisho.model.errors import SekishoError, StateConflict
from sekisho.model.statements import OrderOpened, OrderReference, Scope, parse_payload
from sekisho.operations.countersigning import verify_document
from sekisho.operations.footing import Footing
from sekisho.orders import OrderFault, RegisterGap
from sekisho.orders.sealed import ForgedSeal, make_sealed
from sekisho.signing import Envelope, conceal, parse_envelope
from sekisho.signing.disclosure import ForgedDisclosure
from tests import factory as f
from tests.scoped import QUORUM, ScopedDesk
from tests.sealed import DAY_S, SALTS, drafted, forge, order_in, resigned, seal, sealed_of

Bent = tuple[Envelope, tuple[str, ...]]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[ScopedDesk]:
    with ScopedDesk(tmp_path) as desk:
        yield desk.founded()


def test_inner_order_differs_from_the_outer_one(desk: ScopedDesk) -> None:
    """Number, predecessor, kind and dates outside are those inside, each of them."""
    order = drafted(desk)
    for bent in (
        {"number": 2},
        {"previous": "ab" * 32},
        {"expires": order.expires.plus(1)},
        {"not_before": order.not_before.plus(1)},
        {"issue_until": order.issue_until.plus(1)},
        {"register": "hold/JP"},
        {"charter": "ab" * 32},
        {"effective": order.effective.plus(1)},
    ):
        envelope, texts = forge(desk, order, shown=msgspec.structs.replace(order, **bent))
        with pytest.raises(ForgedSeal, match=next(iter(bent))):
            desk.desk.admit(envelope.raw, disclosures=texts)


def test_inner_order_swapped_after_it_was_signed(desk: ScopedDesk) -> None:
    """Disclosures of another order than the one signed are stood for by no digest."""
    envelope, _ = seal(desk)
    other = drafted(desk, grace_s=5)
    _, texts = make_sealed(other, ("host-2",), SALTS, opens=other.effective.plus(DAY_S))
    with pytest.raises(ForgedDisclosure):
        desk.desk.admit(envelope.raw, disclosures=texts)
    assert desk.private.load_disclosures().get(envelope.digest) is None


def test_hosts_other_than_those_inside(desk: ScopedDesk) -> None:
    """The tree holds the hosts of the predicate: none less, who would be told that it is out, and none more."""
    order = drafted(desk)
    for hosts in ((), ("host-1",), ("host-2", "host-3")):
        envelope, texts = forge(desk, order, hosts)
        with pytest.raises((ForgedSeal, OrderFault)):
            desk.desk.admit(envelope.raw, disclosures=texts)


def _resume(desk: ScopedDesk) -> Bent:
    lifts = (OrderReference(register="pause/JP", number=1, digest="0" * 64),)
    return forge(desk, drafted(desk, kind="resume", effect="lift", grace_s=0, lifts=lifts))


def _twice(desk: ScopedDesk) -> Bent:
    envelope, texts = seal(desk)
    sealed = sealed_of(envelope)
    return resigned(sealed, concealed=(sealed.concealed[0], *sealed.concealed)), texts


def _third(desk: ScopedDesk) -> Bent:
    envelope, texts = seal(desk)
    sealed = sealed_of(envelope)
    digest, held = conceal("order", "{}", bytes(16))
    return resigned(sealed, concealed=(*sealed.concealed, digest)), (*texts, held.text)


def _by_attributes(desk: ScopedDesk) -> Bent:
    return forge(desk, drafted(desk, resolved=None, scope=Scope(sites=("site-1",))))


def _late(desk: ScopedDesk) -> Bent:
    order = drafted(desk)
    return forge(desk, order, opens=order.expires.plus(1))


def _odd_leaves(desk: ScopedDesk) -> Bent:
    return forge(desk, drafted(desk), leaves=3)


@pytest.mark.parametrize(
    ("bend", "why"),
    [
        (_resume, "never sealed"),
        (_twice, "conceals two fields"),
        (_third, "conceals two fields"),
        (_by_attributes, "by attributes"),
        (_late, "opens later"),
        (_odd_leaves, "no power of two"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_sealed_order_that_none_may_be(
    desk: ScopedDesk, bend: Callable[[ScopedDesk], Bent], why: str
) -> None:
    """Sealed resumes, second contents, hosts that nobody could count again, openings that never come."""
    envelope, texts = bend(desk)
    with pytest.raises(SekishoError, match=why):
        desk.desk.admit(envelope.raw, disclosures=texts)


def test_number_taken_twice(desk: ScopedDesk) -> None:
    """A sealed order and an open one, in either sequence: the second is refused."""
    envelope, texts = seal(desk)
    plain = f.signed(drafted(desk), *QUORUM)
    desk.desk.admit(envelope.raw, disclosures=texts)
    with pytest.raises(SekishoError) as refused:
        desk.desk.admit(plain.raw)
    assert refused.value.code in {"two-digests-at-one-number", RegisterGap.code}


def test_opened_early_otherwise_or_by_another(desk: ScopedDesk) -> None:
    """Only the control plane opens, only when it is due, and only what was sealed."""
    envelope, texts = seal(desk)
    desk.desk.admit(envelope.raw, disclosures=texts)
    sealed = sealed_of(envelope)
    order = OrderReference(register=sealed.register, number=1, digest=envelope.digest)
    now = desk.clock.now()
    fact = OrderOpened(effective=now, order=order, disclosures=texts)
    with pytest.raises(SekishoError, match="control plane itself"):
        desk.desk.admit(f.signed(fact, f.OPERATOR).raw)
    with pytest.raises(StateConflict, match="nothing has lifted it"):
        desk.desk.state_fact(fact)
    desk.clock.move(2 * DAY_S)
    for shown in (texts[:1], texts[1:], ()):
        with pytest.raises(ForgedSeal):
            desk.desk.state_fact(msgspec.structs.replace(fact, disclosures=shown))
    other = msgspec.structs.replace(order, digest="0" * 64)
    stray = msgspec.structs.replace(fact, order=other)
    with pytest.raises(StateConflict, match="no sealed order"):
        desk.desk.state_fact(stray)


def test_swapped_bytes_at_signing(desk: ScopedDesk) -> None:
    """A signer without the disclosures, or with another order's, signs nothing."""
    envelope, texts = seal(desk)
    statement = parse_payload(parse_envelope(envelope.raw).payload)
    other = drafted(desk, grace_s=5)
    _, false = make_sealed(other, ("host-2",), SALTS, opens=other.effective.plus(DAY_S))
    for held, error in ((texts, None), ((), StateConflict), (false, ForgedDisclosure)):
        footing = Footing(
            root=desk.root,
            charter=desk.desk.state.regime.in_force(),
            state=desk.desk.state,
            root_at=desk.sequencer.root_at,
            disclosures={envelope.digest: held},
        )
        if error is None:
            verify_document(footing, statement, (), now=desk.clock.now())
            continue
        with pytest.raises(error):
            verify_document(footing, statement, (), now=desk.clock.now())


def test_a_hold_in_the_dark_keeps_to_the_limits_of_holds(desk: ScopedDesk) -> None:
    """A constituency that held a host may not hold it again because the second hold is sealed."""
    hold: dict[str, Any] = {"kind": "hold", "effect": "freeze", "grace_s": 0, "lasts_s": 3_600}
    signers = (f.AUTHORITY[0], f.AUTHORITY[1])
    opens = desk.clock.now().plus(1_800)
    envelope, texts = seal(desk, drafted(desk, **hold), opens=opens, signers=signers)
    desk.desk.admit(envelope.raw, disclosures=texts)
    assert order_in(desk, envelope).kind == "hold"
    again, more = seal(desk, drafted(desk, **hold), opens=opens, signers=signers)
    with pytest.raises(SekishoError) as refused:
        desk.desk.admit(again.raw, disclosures=more)
    assert refused.value.code == "stacked-hold"


def test_disclosures_with_another_statement(desk: ScopedDesk) -> None:
    """Nobody fills the private store through a statement that conceals nothing."""
    _, texts = seal(desk)
    plain = f.signed(drafted(desk), *QUORUM)
    with pytest.raises(SekishoError, match="comes without disclosures"):
        desk.desk.admit(plain.raw, disclosures=texts)
    assert plain.digest not in desk.private.load_disclosures()
