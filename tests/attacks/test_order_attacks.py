"""Attacks on orders beyond the registers: hidden, replayed, lifted by halves, or kept from a host altogether."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sekisho.model.errors import NotAuthorised, StateConflict
from sekisho.model.instants import Instant
from sekisho.model.statements import (
    CharterKey,
    OrderReference,
    Scope,
    SignatureWithdrawn,
    Span,
)
from sekisho.orders import OrderFault, StaleSignatures
from sekisho.ports.control import Feed, FeedItem
from sekisho.signing import Envelope
from sekisho.signing.keys import Signer
from tests import factory as f
from tests.desks import TestDesk
from tests.factory import AUTHORITY, PARTY, VERIFIER
from tests.fakes import QUORUM, FakeControl, Rig

HOUR_S, DAY_S = 3_600, 86_400
ELSEWHERE = Scope(sites=("elsewhere",))


@pytest.fixture
def rig() -> Rig:
    """A host whose work runs under leases of a licence for two months."""
    return started(FakeControl())


def started(control: FakeControl) -> Rig:
    return Rig(control).started(period=Span(start=f.NOW, end=f.NOW.plus(60 * DAY_S)))


def pass_time(rig: Rig, seconds: float) -> None:
    """Time that the host lives through in long steps; fresh checkpoints tell it so."""
    for _ in range(4):
        rig.clock.advance(seconds / 4)
        rig.control.state_heads()
        rig.run_for(0.5)


def newest(control: FakeControl, register: str) -> OrderReference:
    head = control.book.heads[register]
    return OrderReference(register=register, number=head.number, digest=head.digest)


def resume_of(rig: Rig, register: str = "pause/JP", **changes: object) -> Envelope:
    fields: dict[str, Any] = {"lifts": [newest(rig.control, register)], **changes}
    return rig.control.order(kind="resume", effect="lift", **fields)


def by_hand(rig: Rig, *envelopes: Envelope) -> list[str]:
    """Carried to the host with the network gone: the codes of what was found."""
    items = tuple(FeedItem(envelope=each.raw) for each in envelopes)
    _, findings = rig.duty.take_carried(Feed(next=0, items=items))
    rig.run_for(1)
    return [finding.code for finding in findings]


# --- hidden and replayed -------------------------------------------------------------------------


def test_suppression_by_delivering_a_later_order_first(rig: Rig) -> None:
    """A harmless later order makes nobody skip the earlier one: it is outstanding, fetched, and acted on."""
    control = rig.control
    control.issue(control.order(), heads=False)
    hidden = control.feed.pop()
    control.issue(control.order(scope=ELSEWHERE), heads=False)
    rig.turn()
    rig.turn()
    assert hidden not in control.feed
    assert rig.doing() == "frozen"
    assert rig.follower.book.outstanding() == ()
    assert control.codes() == []


def test_a_later_order_first_and_the_earlier_one_withheld_for_good(rig: Rig) -> None:
    """Nothing new starts, running work drains after the fetch delay: withholding is no way around an order."""
    control = rig.control
    hidden = control.issue(control.order(), heads=False)
    control.feed.pop()
    control.issue(control.order(scope=ELSEWHERE), heads=False)
    del control.indexes[hidden.digest]
    control.book = control.book.opened(())
    mine = control.book.orders["pause/JP"]
    control.book = msgspec.structs.replace(
        control.book, orders={**control.book.orders, "pause/JP": mine.minus(1)}
    )
    rig.run_for(70)
    assert rig.doing() == "none"


def test_replay_of_a_lapsed_order(rig: Rig) -> None:
    """A hold that is over, or lapsed unwitnessed, stops nobody when its envelope is brought again, restart or not."""
    control = rig.control
    start = control.now()
    old = control.order(kind="hold", signers=AUTHORITY[:2], expires=start.plus(HOUR_S))
    control.show(old)
    rig.run_for(1)
    assert rig.doing() == "frozen"
    pass_time(rig, 2 * HOUR_S)
    assert rig.doing() == "running"
    assert by_hand(rig, old) == []
    assert rig.doing() == "running"
    pass_time(rig, DAY_S)
    assert by_hand(rig, old) == []
    rig.wake()
    rig.run_for(5)
    by_hand(rig, old)
    assert rig.follower.demand(control.now(), rig.follower.facts(None))[0].effect is None


def test_a_hold_with_a_made_up_number_kills_nothing_and_hides_nothing(rig: Rig) -> None:
    """Few keys show a hold of number 1000: no order is missed for it, no lease refused, no true hold kept out."""
    control = rig.control
    far = control.order(
        kind="hold", signers=AUTHORITY[:2], number=1_000, previous="e" * 64, scope=ELSEWHERE
    )
    near = control.order(kind="hold", signers=AUTHORITY[:2], scope=ELSEWHERE, legal_basis="made up")
    control.show(far)
    control.show(near)
    rig.run_for(70)
    assert rig.doing() == "running"
    assert rig.follower.book.outstanding() == ()
    control.issue(control.order(kind="hold", signers=AUTHORITY[:2]))
    rig.run_for(1)
    assert rig.doing() == "frozen"
    assert control.codes() == []


def test_heads_suppressed_in_the_feed(rig: Rig) -> None:
    """Who cuts orders and heads out of the feed does not cut them out of the issuer's word for each quantum."""
    control = rig.control
    control.issue(control.order())
    control.feed = [
        row for row in control.feed if row[1] not in ("order-issued", "orders-in-force")
    ]
    rig._fed = len(control.feed)
    rig.run_for(5)
    assert rig.doing() == "frozen"


def test_a_jammed_host_stops_by_the_end_of_lease_and_grace(rig: Rig) -> None:
    """Neither feed nor way out, from before the order on: no order ever arrives, and the work is over in time."""
    control = rig.control
    lease = rig.host.memory.state.lease
    assert lease is not None
    end = lease.not_after
    control.is_silent = True
    control.issue(control.order())
    while control.now() < end.plus(2 + 2):
        rig.run_for(0.5)
    assert rig.doing() == "none"
    assert control.stages().count("received") == 0


# --- control plane or witnesses down -------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "signers"), [("hold", AUTHORITY[:2]), ("pause", QUORUM)], ids=["hold", "pause"]
)
def test_control_plane_down_hold_and_pause_act_by_hand(
    rig: Rig, kind: str, signers: tuple[Signer, ...]
) -> None:
    """They need no log, no witness, no network: whoever carries them in stops the work."""
    order = rig.control.order(kind=kind, effect="freeze", signers=signers)
    rig.control.is_silent = True
    assert by_hand(rig, order) == []
    assert rig.doing() == "frozen"


def test_control_plane_down_a_resume_by_hand_does_not_act(rig: Rig) -> None:
    """With every signature that it needs and no witness it releases nobody; neither does a cap slow anybody."""
    control = rig.control
    control.issue(control.order())
    rig.run_for(1)
    resume = resume_of(rig)
    cap = control.order(kind="cap", effect="cap", cap_percent=40)
    control.is_silent = True
    assert by_hand(rig, resume, cap) == ["unwitnessed-release"] * 2
    assert rig.doing() == "frozen"


def test_all_witnesses_down_hold_and_pause_act_and_a_resume_does_not(rig: Rig) -> None:
    """The log goes on alone: what restricts is shown on sight, what releases waits for cosignatures."""
    control = rig.control
    control.show(control.order())
    rig.run_for(1)
    assert rig.doing() == "frozen"
    pause = control.order()
    control.admit(pause)
    resume = resume_of(rig)
    index = control.log.append(resume.raw)
    proof = control.log.prove(index, control.now(), cosigners=())
    _, finding = rig.follower.take_item(FeedItem(envelope=resume.raw, proof=proof))
    rig.run_for(1)
    assert finding is not None
    assert rig.doing() == "frozen"


def test_a_hold_that_no_witness_saw_within_24_h_lapses_with_a_finding() -> None:
    """It acted at once, and leaves a trace; a witnessed one does not lapse."""
    for witnessed in (False, True):
        rig = started(FakeControl())
        control = rig.control
        begin = control.now()
        order = control.order(
            effect="freeze", expires=begin.plus(3 * DAY_S), on_expiry="refuse-until-resume"
        )
        control.issue(order) if witnessed else control.show(order)
        rig.run_for(1)
        assert rig.doing() == "frozen"
        pass_time(rig, DAY_S - 60)
        assert rig.doing() == "frozen"
        pass_time(rig, 120)
        assert ("unwitnessed-order-lapsed" in control.codes()) is not witnessed
        assert (rig.doing() == "frozen") is witnessed


# --- lifted by halves ----------------------------------------------------------------------------


def test_resume_with_a_scope_that_is_not_the_lifted_ones(rig: Rig) -> None:
    """Its signers read one host's name and would have released another: it lifts nothing, witnessed or not."""
    control = rig.control
    control.issue(control.order())
    rig.run_for(1)
    for scope in (ELSEWHERE, Scope(hosts=("host-1",)), Scope(sites=("site-1", "site-2"))):
        other = resume_of(rig, scope=scope)
        index = control.log.append(other.raw)
        item = FeedItem(envelope=other.raw, proof=control.log.prove(index, control.now()))
        _, finding = rig.follower.take_item(item)
        rig.run_for(1)
        assert finding is not None
        assert finding.code == "order-fault"
        assert rig.doing() == "frozen"
    control.issue(resume_of(rig))
    rig.run_for(2)
    assert rig.doing() == "running"


def test_overlapping_orders_the_strictest_wins_and_one_resume_leaves_the_other(rig: Rig) -> None:
    """A hold and a pause over one host: lifting the pause leaves the hold, lifting both lets the work go."""
    control = rig.control
    control.issue(control.order(kind="hold", signers=AUTHORITY[:2]))
    rig.run_for(1)
    control.issue(control.order(effect="checkpoint-then-stop"))
    rig.run_for(2)
    assert rig.doing() == "none"
    control.issue(resume_of(rig))
    rig.run_for(2)
    assert rig.doing() == "none"
    control.issue(resume_of(rig, "hold/JP"))
    rig.run_for(2)
    assert rig.doing() == "running"


def test_a_cap_beside_a_pause_makes_it_no_milder(rig: Rig) -> None:
    """The work stops as without the cap; after the resume the cap still counts, until a resume of its own."""
    rig.driver.caps = []
    control = rig.control
    control.issue(control.order(kind="cap", effect="cap", cap_percent=40))
    rig.run_for(1)
    control.issue(control.order())
    rig.run_for(1)
    assert rig.doing() == "frozen"
    control.issue(resume_of(rig))
    rig.run_for(2)
    assert rig.doing() == "running"
    assert rig.driver.caps[-1] == 400_000
    control.issue(resume_of(rig, "cap/JP"))
    rig.run_for(2)
    assert rig.driver.caps[-1] == 1_000_000
    resumed = [r.order.register for r in control.receipts if r.stage == "resumed" and r.order]
    assert resumed == ["pause/JP", "cap/JP"]


# --- what expiry does ----------------------------------------------------------------------------


def test_expiry_of_a_pause_that_lapses_and_of_one_that_refuses_until_resume() -> None:
    """The charter fixes it: at the end of the one the work goes on, at the end of the other it stays halted."""
    for clause, after in (("lapse", "running"), ("refuse-until-resume", "frozen")):
        control = FakeControl()
        terms = msgspec.structs.replace(
            control.terms,
            version=2,
            previous=control.charter.digest,
            pause_on_expiry=clause,
        )
        control.terms, control.charter = terms, f.signed(terms, *QUORUM)
        control.admit(control.charter)
        rig = started(control)
        control.issue(control.order(on_expiry=clause))
        rig.run_for(1)
        assert rig.doing() == "frozen"
        pass_time(rig, HOUR_S + 60)
        assert rig.doing() == after


def test_an_order_whose_expiry_clause_is_not_the_charters() -> None:
    """A pause that lapses under a charter that asks for a resume is refused: its signers chose an end of their own."""
    rig = started(FakeControl())
    rig.control.show(rig.control.order(on_expiry="lapse"))
    rig.run_for(1)
    assert rig.doing() == "running"
    assert "order-fault" in rig.control.codes()


# --- signatures ----------------------------------------------------------------------------------


def test_every_quorum_short_of_one_key_neither_pauses_nor_resumes(rig: Rig) -> None:
    """Each three of the four keys that a pause takes stop nobody, and each three that a resume takes release nobody."""
    control = rig.control
    for keys in combinations(QUORUM, len(QUORUM) - 1):
        control.show(control.order(signers=keys))
    rig.run_for(1)
    assert rig.doing() == "running"
    control.issue(control.order())
    rig.run_for(1)
    assert rig.doing() == "frozen"
    for keys in combinations(QUORUM, len(QUORUM) - 1):
        short = resume_of(rig, signers=keys)
        index = control.log.append(short.raw)
        item = FeedItem(envelope=short.raw, proof=control.log.prove(index, control.now()))
        _, finding = rig.follower.take_item(item)
        assert finding is not None
        assert finding.code == "not-authorised"
    rig.run_for(1)
    assert rig.doing() == "frozen"
    control.issue(resume_of(rig))
    rig.run_for(2)
    assert rig.doing() == "running"


def test_a_signature_withdrawn_below_and_above_the_orders_index() -> None:
    """Taken back before the order was in the log it counts for nothing; afterwards the order stands."""
    for below in (True, False):
        rig = started(FakeControl())
        control = rig.control
        order = control.order()
        back = SignatureWithdrawn(
            effective=control.now(),
            payload=order.digest,
            key=AUTHORITY[1].public.key_id,
            reason="a slip",
        )
        if below:
            control.admit(f.signed(back, AUTHORITY[1]))
            with pytest.raises(NotAuthorised):
                control.admit(order)
            control.show(order)
        else:
            control.issue(order)
            control.admit(f.signed(back, AUTHORITY[1]))
        rig.run_for(1)
        assert rig.doing() == ("running" if below else "frozen")


# --- at the desk ---------------------------------------------------------------------------------


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TestDesk]:
    with TestDesk(tmp_path) as opened:
        yield opened


def drafted(desk: TestDesk, *, at: Instant | None = None, **fields: object) -> Envelope:
    """An order that would be next in its register, signed by everybody who is asked."""
    head = desk.desk.state.orders.heads[f"{fields.get('kind', 'pause')}/JP"]
    signers = fields.pop("signers", QUORUM)
    given: dict[str, object] = {
        "number": head.number + 1,
        "previous": head.digest,
        "now": at or desk.clock.now(),
        "charter_digest": desk.charter_envelope.digest,
        **fields,
    }
    return f.signed(f.order_issued(**given), *signers)  # type: ignore[arg-type,misc]  # a test's own fields


def test_an_order_with_expired_signatures_does_not_enter_the_log(desk: TestDesk) -> None:
    """What waited longer for its quorum than it says itself is drafted anew."""
    order = drafted(desk, issue_until=desk.clock.now().plus(60))
    desk.clock.move(61)
    with pytest.raises(StaleSignatures):
        desk.desk.admit(order.raw)


def test_signatures_kept_in_a_drawer_for_more_than_72_h_do_not_count(desk: TestDesk) -> None:
    """No order may give its signatures longer, and none is the younger for a later date in its text."""
    with pytest.raises(OrderFault, match="72 h"):
        desk.desk.admit(drafted(desk, issue_until=desk.clock.now().plus(73 * HOUR_S)).raw)


def test_a_withdrawal_before_the_issue_keeps_an_order_out_of_the_log(desk: TestDesk) -> None:
    """The holder took the signature back in time; the quorum is one short."""
    order = drafted(desk)
    key = AUTHORITY[1]
    back = SignatureWithdrawn(
        effective=desk.clock.now(), payload=order.digest, key=key.public.key_id, reason="a slip"
    )
    desk.desk.admit(f.signed(back, key).raw)
    with pytest.raises(NotAuthorised, match="authority 2 of 3"):
        desk.desk.admit(order.raw)


def test_a_resume_with_another_scope_does_not_enter_the_log(desk: TestDesk) -> None:
    """The desk says so before anything is recorded."""
    pause = drafted(desk)
    desk.desk.admit(pause.raw)
    lifted = OrderReference(register="pause/JP", number=1, digest=pause.digest)
    resume = drafted(desk, kind="resume", effect="lift", lifts=[lifted], scope=ELSEWHERE)
    with pytest.raises(StateConflict, match="scope"):
        desk.desk.admit(resume.raw)


def test_the_paused_party_in_the_quorum_is_not_licensed(tmp_path: Path) -> None:
    """Its organisation holds a key that stops and releases: the licence is refused, however the name is spelt."""
    seated = TestDesk(tmp_path, organisations_named={5: "DEVELOPER "})
    with seated as desk, pytest.raises(StateConflict, match="pause quorum"):
        desk.licensed()


def test_the_paused_party_is_given_no_key_of_the_quorum(desk: TestDesk) -> None:
    """A charter that would seat a licensee among those who pause it is refused as long as it is licensed."""
    desk.licensed()
    terms = desk.desk.state.regime.in_force().terms
    own = CharterKey(public=PARTY.public.to_text(), organisation="Developer", holder="its own")
    other = CharterKey(public=f.signer("more").public.to_text(), organisation="More", holder="one")
    for key, refused in ((own, True), (other, False)):
        verifiers = terms.constituencies[1]
        seated = msgspec.structs.replace(verifiers, keys=(*verifiers.keys, key))
        amended = msgspec.structs.replace(
            terms,
            version=2,
            previous=desk.charter_envelope.digest,
            effective=desk.clock.now(),
            constituencies=(terms.constituencies[0], seated, terms.constituencies[2]),
        )
        envelope = f.signed(amended, *AUTHORITY[:3], VERIFIER[0])
        if refused:
            with pytest.raises(StateConflict, match="key of a pause quorum"):
                desk.desk.admit(envelope.raw)
        else:
            desk.desk.admit(envelope.raw)


def test_a_capped_host_is_granted_leases_and_a_paused_one_is_not(desk: TestDesk) -> None:
    """A cap slows work: who were refused a lease under it would stop at the lease's end."""
    licence = desk.licensed()
    desk.desk.admit(drafted(desk, kind="cap", effect="cap", cap_percent=40).raw)
    assert desk.leases.grant(desk.request(licence)).envelope
    desk.desk.admit(drafted(desk).raw)
    with pytest.raises(StateConflict):
        desk.leases.grant(desk.request(licence, number=2, nonce="cd" * 16))
