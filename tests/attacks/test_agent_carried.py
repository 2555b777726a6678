"""What somebody may carry to a host by hand: leases that are not its own, old, changed or mixed."""

from __future__ import annotations

import msgspec
import pytest

from sekisho.licensing.carrying import join_parts, split_parts, write_feed_file, write_lease_file
from sekisho.model.errors import InvalidInput
from sekisho.model.statements import LeaseGranted, LicenceSuspended, RegisterHead, parse_payload
from sekisho.ports.control import LeaseAnswer
from sekisho.signing import conceal, parse_envelope
from tests.agent.handed import Handed
from tests.factory import AUTHORITY, signed, signer
from tests.fakes import WITNESSES


def lease_of(answer: LeaseAnswer) -> LeaseGranted:
    fact = parse_payload(parse_envelope(answer.envelope).payload).predicate
    assert isinstance(fact, LeaseGranted)
    return fact


def refused(handed: Handed, answer: LeaseAnswer) -> str:
    """What the person hears; no lease is in hand and nothing runs."""
    told = handed.carry_in(write_lease_file(answer))
    handed.rig.run_for(2)

    assert not told.taken
    assert handed.rig.host.memory.state.in_hand == ()
    assert handed.rig.doing() == "none"
    return told.details[0]


def test_replay_of_a_carried_lease() -> None:
    """After it was given back the same file gives nothing more."""
    handed = Handed().licensed()
    lease = write_lease_file(handed.answer())
    handed.carry_in(lease)
    handed.rig.run_for(2)
    pause = handed.carry_in(handed.control.order().raw)
    handed.rig.run_for(3)
    assert pause.taken
    assert handed.rig.host.memory.state.in_hand == ()
    told = handed.carry_in(lease)

    assert not told.taken
    assert handed.rig.host.memory.state.in_hand == ()


def test_replay_of_an_old_lease_against_a_new_request() -> None:
    """It answers another request's digest."""
    handed = Handed().leased()
    old = handed.control.leases[next(iter(handed.control.leases))]
    handed.rig.run_for(62)
    told = handed.carry_in(write_lease_file(old))

    assert [held.number for held in handed.rig.host.memory.state.in_hand] in ([], [1])
    assert told.lease in (None, 1)
    assert handed.rig.host.memory.state.lease_number == 1


def test_lease_for_another_host_by_hand() -> None:
    """A lease names its host."""
    handed = Handed().licensed()
    answer = handed.answer()
    other = msgspec.structs.replace(lease_of(answer), host="host-2")
    bent = handed.control.lease_answer(other, *answer.disclosures)

    assert refused(handed, bent).startswith("foreign-lease")


def test_forged_disclosure_by_hand() -> None:
    """The bearer cannot write a larger allowance onto the file."""
    handed = Handed().licensed()
    answer = handed.answer()
    forged = conceal("allowance_flop", "9" * 20, b"s" * 16)[1].text

    bent = msgspec.structs.replace(answer, disclosures=(forged,))
    assert refused(handed, bent).startswith("forged-disclosure")


def test_a_carried_lease_without_its_disclosure() -> None:
    """What it allows is unknown, and unknown is nothing."""
    handed = Handed().licensed()

    bent = msgspec.structs.replace(handed.answer(), disclosures=())
    assert refused(handed, bent).startswith("forged-disclosure")


def test_a_carried_lease_that_no_witness_has_seen() -> None:
    """The proof travels with it, also by hand, and the log alone is not enough."""
    handed = Handed().licensed()
    answer = handed.answer()
    log, index = handed.control.log, handed.control.log.entries.index(answer.envelope)
    lonely = log.prove(index, handed.control.now(), cosigners=WITNESSES[:1])

    bent = msgspec.structs.replace(answer, proof=lonely)
    assert refused(handed, bent).startswith("quorum-missing")


def test_a_carried_lease_by_a_stranger() -> None:
    """Signed by somebody who may not grant."""
    handed = Handed().licensed()
    answer = handed.answer()

    bent = handed.control.lease_answer(lease_of(answer), *answer.disclosures, by=signer("stranger"))
    assert refused(handed, bent).startswith("not-authorised")


def test_older_heads_by_hand() -> None:
    """A lease granted under registers that lack an order that this host has seen: it is given back unused."""
    handed = Handed().licensed()
    answer = handed.answer()
    older = tuple(
        RegisterHead(register=head.register, number=0, digest="0" * 64)
        for head in lease_of(answer).heads
    )
    old = msgspec.structs.replace(lease_of(answer), heads=older)

    bent = handed.control.lease_answer(old, *answer.disclosures)
    assert refused(handed, bent).startswith("older-heads")


def test_a_carried_lease_of_a_suspended_licence() -> None:
    """The host knows of the suspension even where the issuer forgot it."""
    handed = Handed().licensed()
    answer = handed.answer()
    leaf = lease_of(answer).licence
    fact = LicenceSuspended(
        effective=handed.control.now(), licence=leaf, number="LIC-1", reason="test"
    )
    handed.control.admit(signed(fact, *AUTHORITY[:2]))
    handed.carry_in(handed.feed_file())

    assert refused(handed, answer).startswith("suspended-licence")


def test_a_carried_licence_that_no_witness_has_seen() -> None:
    """What permits needs its proof: a feed file without proofs licenses nobody."""
    handed = Handed()
    handed.control.license()
    handed.control.is_silent = False
    feed = handed.control.fetch_feed("host-1", 0, 0)
    handed.control.is_silent = True
    bare = write_feed_file(msgspec.structs.replace(item, proof=None) for item in feed.items)
    told = handed.carry_in(bare)

    assert not told.taken
    assert all(d.startswith(("unwitnessed", "not-authorised")) for d in told.details)
    assert handed.rig.host.memory.load_request() is None


def test_qr_parts_mixed_from_two_leases() -> None:
    """Each part names its whole, so that a foreign one is found and named."""
    one, other = (write_lease_file(handed_answer(n)) for n in (1, 2))
    parts, foreign = split_parts(one), split_parts(other)
    mixed = [("a line 1", parts[0]), *(("b line 2", part) for part in foreign[1:])]

    with pytest.raises(InvalidInput, match="part of another file") as error:
        join_parts(mixed)
    assert error.value.path == "b line 2"


def handed_answer(number: int) -> LeaseAnswer:
    """The first lease of a host of its own for each number."""
    handed = Handed()
    handed.control.clock.advance(number)
    return handed.licensed().answer()
