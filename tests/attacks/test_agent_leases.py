"""Leases that an agent must not take, and a control plane that goes silent or lies."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from sekisho.model.statements import (
    LeaseGranted,
    LicenceAmended,
    LicenceRevoked,
    LicenceSuspended,
    Reference,
    RegisterHead,
    make_payload,
    parse_payload,
)
from sekisho.ports.control import LeaseAnswer
from sekisho.signing import parse_envelope, sign_payload
from tests.factory import AUTHORITY, HOST, OPERATOR, ORIGIN, signed, signer
from tests.fakes import WITNESSES, FakeControl, Rig

Bend = Callable[[FakeControl, LeaseGranted, LeaseAnswer], LeaseAnswer]


def lease_of(answer: LeaseAnswer) -> LeaseGranted:
    fact = parse_payload(parse_envelope(answer.envelope).payload).predicate
    assert isinstance(fact, LeaseGranted)
    return fact


def bent(bend: Bend) -> Rig:
    """A host whose control plane answers with a lease that was bent, but signed and logged like a good one."""
    control = FakeControl()
    control.bend_lease = lambda answer: bend(control, lease_of(answer), answer)
    rig = Rig(control)
    control.license()
    rig.run_for(2)
    return rig


def regranted(**changes: object) -> Bend:
    """The same lease with other fields, logged anew."""

    def bend(control: FakeControl, lease: LeaseGranted, answer: LeaseAnswer) -> LeaseAnswer:
        fact = msgspec.structs.replace(lease, **changes)
        return control.lease_answer(fact, *answer.disclosures)

    return bend


def test_lease_for_another_host() -> None:
    """A lease names its host."""
    rig = bent(regranted(host="host-2"))

    assert rig.doing() == "none"
    assert "foreign-lease" in rig.control.codes()


def test_lease_that_is_not_last_plus_one() -> None:
    """A lease number that skips one is refused."""
    rig = bent(regranted(number=2))

    assert rig.doing() == "none"
    assert "lease-replayed" in rig.control.codes()


def test_lease_with_a_replayed_nonce() -> None:
    """A lease that answers another nonce than the host's own is refused."""
    rig = bent(regranted(nonce="f" * 32))

    assert rig.doing() == "none"
    assert "lease-replayed" in rig.control.codes()


def test_lease_that_answers_another_request() -> None:
    """The lease names the request's digest."""
    rig = bent(regranted(request="3" * 64))

    assert rig.doing() == "none"
    assert "lease-replayed" in rig.control.codes()


def test_lease_granted_under_older_heads() -> None:
    """Somebody hides an order: the lease is given back unused."""
    older = tuple(
        RegisterHead(register=name, number=0, digest="0" * 64)
        for name in ("hold/JP", "pause/JP", "cap/JP", "suspend-access/JP")
    )
    rig = bent(regranted(heads=older))

    assert rig.doing() == "none"
    assert "older-heads" in rig.control.codes()
    assert set(rig.control.stages()) == {"final"}


def test_lease_of_a_revoked_licence() -> None:
    """A licence that was revoked in the log grants nothing, even where its issuer forgets that."""
    control = FakeControl()
    rig = Rig(control)
    licence = control.license()

    def revoke(answer: LeaseAnswer) -> LeaseAnswer:
        fact = LicenceRevoked(
            effective=control.now(), licence=licence, number="LIC-1", reason="test"
        )
        if not any(row[1] == "licence-revoked" for row in control.feed):
            control.admit(signed(fact, *AUTHORITY[:2]))
            rig.turn()
        return answer

    control.bend_lease = revoke
    rig.run_for(2)

    assert rig.doing() == "none"
    assert "revoked-licence" in control.codes()


def test_running_work_ends_when_its_licence_is_revoked() -> None:
    """No further quantum begins; after the grace the work is over and the lease given back."""
    rig = Rig().started()
    state = next(iter(rig.control.ledger.licences.values()))
    fact = LicenceRevoked(
        effective=rig.control.now(),
        licence=rig.host.memory.state.lease.licence,  # type: ignore[union-attr]  # work runs under a lease
        number=state.licence.number,
        reason="test",
    )
    rig.control.admit(signed(fact, *AUTHORITY[:2]))
    rig.run_for(5)

    assert rig.doing() == "none"
    assert rig.control.stages()[-1] == "final"
    assert rig.host.memory.state.lease is None


def test_running_work_ends_when_its_licence_is_suspended() -> None:
    """As where it is revoked; and it goes on once an amendment lifts the suspension, under a fresh lease."""
    rig = Rig().started()
    state = next(iter(rig.control.ledger.licences.values()))
    licence = Reference(log=ORIGIN, leaf=state.leaf)
    suspended = rig.control.admit(
        signed(
            LicenceSuspended(
                effective=rig.control.now(), licence=licence, number="LIC-1", reason="test"
            ),
            *AUTHORITY[:2],
        )
    )
    rig.run_for(6)
    assert rig.doing() == "none"
    assert rig.host.memory.state.lease is None
    requests = len(rig.control.requests)

    rig.control.admit(signed(amended(rig, lifts=suspended), *AUTHORITY[:2]))
    rig.run_for(3)
    assert rig.doing() == "running"
    assert len(rig.control.requests) == requests + 1


def test_running_work_ends_when_its_licence_names_another_host() -> None:
    """An amendment that leaves this host out is the end of its permission."""
    rig = Rig().started()
    state = next(iter(rig.control.ledger.licences.values()))
    forgotten = msgspec.structs.replace(state, live=type(state.live)())
    licences = rig.control.ledger.licences.plus(state.leaf, forgotten)
    rig.control.ledger = msgspec.structs.replace(rig.control.ledger, licences=licences)
    rig.control.admit(signed(amended(rig, hosts=("host-2",)), *AUTHORITY[:2]))
    rig.run_for(6)

    assert rig.doing() == "none"
    assert rig.host.memory.state.lease is None


def amended(rig: Rig, **changes: object) -> LicenceAmended:
    """The second version of the rig's licence, with other fields."""
    state = next(iter(rig.control.ledger.licences.values()))
    licence = state.licence
    fields: dict[str, object] = {
        name: getattr(licence, name)
        for name in ("hosts", "devices", "devices_root", "sites", "budget_flop", "period", "lease")
    }
    fields |= {"mode": licence.mode, "decision": licence.decision, "number": licence.number}
    fields |= {"licence": Reference(log=ORIGIN, leaf=state.leaf), "version": 2, "reason": "test"}
    fields |= {"previous": state.newest, "effective": rig.control.now(), **changes}
    return LicenceAmended(**fields)  # type: ignore[arg-type]  # the test's own fields


def test_lease_under_a_key_that_may_not_grant() -> None:
    """A stranger's signature, and no other, is no grant."""
    control = FakeControl()

    def forge(answer: LeaseAnswer) -> LeaseAnswer:
        return control.lease_answer(lease_of(answer), *answer.disclosures, by=signer("stranger"))

    control.bend_lease = forge
    rig = Rig(control)
    control.license()
    rig.run_for(2)

    assert rig.doing() == "none"
    assert "not-authorised" in control.codes()


def test_lease_that_no_witness_has_seen() -> None:
    """A lease travels with the proof that the witnesses saw it; the log's own word is not enough."""

    def unwitness(control: FakeControl, lease: LeaseGranted, answer: LeaseAnswer) -> LeaseAnswer:
        index = control.log.entries.index(answer.envelope)
        proof = control.log.prove(index, control.now(), cosigners=WITNESSES[:1])
        return msgspec.structs.replace(answer, proof=proof)

    rig = bent(unwitness)

    assert rig.doing() == "none"
    assert "quorum-missing" in rig.control.codes()


def test_lease_with_an_allowance_of_somebody_s_own() -> None:
    """The disclosure must be the one whose digest the lease carries."""
    from sekisho.signing import conceal

    def inflate(control: FakeControl, lease: LeaseGranted, answer: LeaseAnswer) -> LeaseAnswer:
        return msgspec.structs.replace(
            answer, disclosures=(conceal("allowance_flop", "9" * 20, b"s" * 16)[1].text,)
        )

    rig = bent(inflate)

    assert rig.doing() == "none"
    assert "forged-disclosure" in rig.control.codes()


def test_control_plane_gone_stops_the_work_after_the_grace() -> None:
    """The next quantum is not acknowledged: the work stops at quantum's end plus grace, and goes on afterwards."""
    rig = Rig().started()
    rig.control.is_silent = True
    rig.run_for(1.5)
    assert rig.doing() == "running"
    rig.run_for(2 + 2)
    assert rig.doing() == "none"

    rig.control.is_silent = False
    rig.run_for(3)
    assert rig.doing() == "running"
    assert rig.driver.starts[-1][:2] == ("work", "--resume")


@pytest.mark.parametrize("answer", ["none", "another receipt", "a stranger's"])
def test_an_acknowledgement_that_is_none_counts_for_nothing(answer: str) -> None:
    """No acknowledgement, one of another receipt, one by nobody: the work stops after quantum and grace."""
    rig = Rig().started()
    honest = rig.control.send_receipt

    def lie(envelope: bytes) -> bytes | None:
        told = honest(envelope)
        if told is None or answer == "none":
            return None
        fact = parse_payload(parse_envelope(told).payload).predicate
        if answer == "another receipt":
            return signed(msgspec.structs.replace(fact, receipt="4" * 64), OPERATOR).raw
        return sign_payload(make_payload(fact), (HOST,)).raw

    rig.control.send_receipt = lie  # type: ignore[method-assign]  # the attack
    rig.run_for(6)

    assert rig.doing() == "none"
