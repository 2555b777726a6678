"""Orders that an agent must not obey, and orders that somebody tries to keep from it."""

from __future__ import annotations

import msgspec
import pytest

from sekisho.model.persistent import PersistentMap
from sekisho.model.statements import OrderReference, Scope
from sekisho.model.wire import canonical, parse_json, sha256_hex
from sekisho.orders import OrderBook
from sekisho.signing import Envelope, EnvelopeSignature, parse_envelope
from tests.factory import AUTHORITY, OPERATOR, VERIFIER, order_issued, signed, signer
from tests.fakes import QUORUM, FakeControl, Rig


@pytest.fixture
def rig() -> Rig:
    """A host whose work runs under a lease."""
    return Rig().started()


def refused(rig: Rig, envelope: Envelope, code: str) -> None:
    """The order is shown on sight; the work runs on, and the finding says why."""
    rig.control.show(envelope)
    rig.run_for(1)

    assert rig.doing() == "running"
    assert code in rig.control.codes()
    assert "received" not in rig.control.stages()


def test_order_with_too_few_keys(rig: Rig) -> None:
    """Two of five authority keys and a verifier are no pause."""
    refused(rig, rig.control.order(signers=(*AUTHORITY[:2], VERIFIER[0])), "not-authorised")


def test_order_with_one_key_under_three_ids(rig: Rig) -> None:
    """One key that signs three times under three names counts once."""
    whole = rig.control.order(signers=(AUTHORITY[0], VERIFIER[0]))
    own = next(s for s in whole.signatures if s.keyid == AUTHORITY[0].public.key_id)
    copies = [EnvelopeSignature(keyid=sha256_hex(bytes([n])), sig=own.sig) for n in (1, 2)]
    forged = canonical(
        {
            "payload": parse_json(whole.raw)["payload"],  # type: ignore[index,call-overload]  # an envelope is an object
            "payloadType": whole.payload_type,
            "signatures": [*whole.signatures, *copies],
        }
    )
    refused(rig, parse_envelope(forged), "not-authorised")


def test_order_with_a_key_of_the_wrong_constituency(rig: Rig) -> None:
    """An operator's key does not stand in for a verifier's."""
    refused(rig, rig.control.order(signers=(*AUTHORITY[:3], OPERATOR)), "not-authorised")


def test_order_with_a_stranger_s_keys(rig: Rig) -> None:
    """Keys that the charter does not know sign nothing."""
    refused(
        rig, rig.control.order(signers=tuple(signer(f"x{n}") for n in range(4))), "not-authorised"
    )


def test_two_digests_for_one_number(rig: Rig) -> None:
    """The second order at a known number is an attack; the first one stays in force."""
    control = rig.control
    control.show(control.order(scope=Scope(sites=("elsewhere",))))
    rig.run_for(0.5)

    refused(rig, control.order(), "two-digests-at-one-number")


def test_expired_order(rig: Rig) -> None:
    """A hold whose time is over by the earliest clock does not stop anything."""
    past = rig.control.now().plus(-100)
    envelope = rig.control.order(
        kind="hold",
        signers=AUTHORITY[:2],
        now=past,
        expires=past.plus(50),
        issue_until=past.plus(3600),
    )
    refused(rig, envelope, "expired-order")


def test_order_not_yet_valid_is_not_acted_on_before_its_time(rig: Rig) -> None:
    """It is taken, waits for its not-before, and then acts."""
    begins = rig.control.now().plus(3)
    rig.control.show(rig.control.order(not_before=begins, expires=begins.plus(3600)))
    rig.run_for(2.5)
    assert rig.doing() == "running"

    rig.run_for(1)
    assert rig.doing() == "frozen"


def test_order_of_another_log(rig: Rig) -> None:
    """An order for another regime's log is none of this host's business."""
    refused(rig, rig.control.order(log="other.example/log"), "foreign-order")


def test_order_under_another_charter(rig: Rig) -> None:
    """An order names the charter it stands under."""
    fields = order_issued(charter_digest="1" * 64, now=rig.control.now())
    refused(rig, signed(fields, *QUORUM), "foreign-order")


def test_order_in_the_wrong_register(rig: Rig) -> None:
    """A pause does not enter the register of holds."""
    refused(rig, rig.control.order(register="hold/JP"), "wrong-register")


def test_gap_in_the_register_is_fetched(rig: Rig) -> None:
    """An order that the feed left out is seen as outstanding by its successor, and fetched."""
    control = rig.control
    hidden = control.issue(control.order(), heads=False)
    control.feed.pop()
    assert hidden.digest in control.indexes

    control.issue(control.order(scope=Scope(sites=("elsewhere",))))
    rig.run_for(1)

    assert rig.doing() == "frozen"
    assert rig.follower.book.outstanding() == ()


def test_an_order_that_is_kept_back_stops_the_work_all_the_same(rig: Rig) -> None:
    """Its head is known: new work is refused at once, and running work ends after the fetch delay."""
    control = rig.control
    control.issue(control.order())
    control.feed = [row for row in control.feed if row[1] != "order-issued"]
    control.book = OrderBook(orders={"pause/JP": PersistentMap()}, heads=control.book.heads)
    rig.run_for(50)
    assert rig.doing() == "running"

    rig.run_for(15)
    assert rig.doing() == "none"


def test_resume_without_witness(rig: Rig) -> None:
    """A release never acts on sight, however many keys have signed it."""
    control = rig.control
    control.issue(control.order())
    rig.run_for(1)
    lifted = control.book.orders["pause/JP"][1].reference
    control.show(control.order(kind="resume", effect="lift", lifts=[lifted]))
    rig.run_for(3)

    assert rig.doing() == "frozen"
    assert "unwitnessed-release" in control.codes()


def test_resume_with_one_witness_of_two(rig: Rig) -> None:
    """A proof whose checkpoint lacks the quorum of cosignatures is no proof."""
    control = rig.control
    control.issue(control.order())
    rig.run_for(1)
    lifted = control.book.orders["pause/JP"][1].reference
    resume = control.order(kind="resume", effect="lift", lifts=[lifted])
    index = control.log.append(resume.raw)
    from sekisho.ports.control import FeedItem
    from tests.fakes import WITNESSES

    proof = control.log.prove(index, control.now(), cosigners=WITNESSES[:1])
    _, finding = rig.follower.take_item(FeedItem(envelope=resume.raw, proof=proof))
    rig.run_for(3)

    assert finding is not None
    assert finding.code == "quorum-missing"
    assert rig.doing() == "frozen"


def test_resume_of_another_order_lifts_nothing_here(rig: Rig) -> None:
    """A resume that names another digest leaves the pause in force."""
    control = rig.control
    control.issue(control.order())
    rig.run_for(1)
    other = OrderReference(register="pause/JP", number=1, digest="2" * 64)
    control.issue(control.order(kind="resume", effect="lift", lifts=[other]))
    rig.run_for(3)

    assert rig.doing() == "frozen"


def test_an_order_never_witnessed_lapses_with_a_finding(rig: Rig) -> None:
    """A hold acted on at sight ends by the earliest clock where no checkpoint shows it within the deadline."""
    control = rig.control
    short = msgspec.structs.replace(control.terms, witness_deadline_s=5)
    rig.follower.regime.in_force().terms = short
    control.show(control.order())
    rig.run_for(4)
    assert rig.doing() == "frozen"

    rig.run_for(6)
    assert "unwitnessed-order-lapsed" in control.codes()
    assert rig.doing() == "running"


def test_pause_with_an_unknown_critical_field_acts_at_its_strictest(rig: Rig) -> None:
    """What restricts is obeyed even where it is not understood, and a finding says so."""
    order = order_issued(
        charter_digest=rig.control.charter.digest, now=rig.control.now(), crit=("new-word",)
    )
    rig.control.show(signed(order, *QUORUM))
    rig.run_for(1)

    assert rig.doing() == "none"
    assert "unknown-critical-field" in rig.control.codes()


def test_a_wholly_forged_regime_is_not_followed() -> None:
    """A control plane with a charter of its own gets no work started and no order obeyed."""
    honest = FakeControl()
    rig = Rig(honest)
    forged = FakeControl(honest.clock)
    forged.charter = signed(
        msgspec.structs.replace(forged.terms, name="Mine"), *AUTHORITY[:3], VERIFIER[0]
    )
    forged.log.entries[0] = forged.charter.raw
    rig.control = rig.post.control = forged
    rig.run_for(2)

    assert rig.doing() == "none"
    assert rig.follower.regime.charter is None
