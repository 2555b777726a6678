"""The keeper of weights' keys: who is given one, who is not, and when the keeper has none any more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sekisho.model.errors import StateConflict
from sekisho.model.statements import (
    AccessTerms,
    HostRetired,
    LicenceRevoked,
    Reference,
    WeightsKeyReleased,
    WeightsLocked,
)
from sekisho.operations.key_release import check_release_of_key
from sekisho.orders.access import ends_serving
from sekisho.signing.weights import commit_key, open_release
from tests import factory as f
from tests.access.locks import KEY, SALT, KeeperRig
from tests.desks import TestDesk


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[KeeperRig]:
    with TestDesk(tmp_path) as desk:
        yield KeeperRig(desk)


def revoke(rig: KeeperRig) -> None:
    fact = LicenceRevoked(
        effective=rig.desk.clock.now(),
        licence=Reference(log=f.ORIGIN, leaf=rig.licence.leaf),
        number="LIC-1",
        reason="withdrawn",
    )
    rig.desk.desk.admit(f.signed(fact, *f.AUTHORITY[:2]).raw)


def test_a_licensed_host_is_given_the_key_and_the_log_tells_of_it(rig: KeeperRig) -> None:
    """The key comes sealed to the host's fresh key, for the length of a lease; the gift is logged."""
    assert rig.deposit() == rig.locked.leaf
    envelope, opener = rig.request()
    sealed = rig.keeper.release(envelope.raw)
    released, key = open_release(sealed, envelope.digest, opener, commit_key(KEY, SALT))
    assert key == KEY
    assert (released.lease_s, released.grace_s) == (60, 2)
    fact = rig.desk.desk.recorded()[-1].verified.predicate
    assert isinstance(fact, WeightsKeyReleased)
    assert (fact.host, fact.request, fact.locked.leaf) == (
        "host-1",
        envelope.digest,
        rig.locked.leaf,
    )


def test_the_log_and_the_shelf_hold_no_key_in_the_clear(rig: KeeperRig) -> None:
    """What the keeper keeps is sealed to its key, which lies elsewhere."""
    rig.deposit()
    for path in rig.desk.folder.rglob("*"):
        if path.is_file():
            assert KEY not in path.read_bytes()


@pytest.mark.parametrize("kind", ["pause", "hold"])
def test_an_order_over_the_host_keeps_the_key_back(rig: KeeperRig, kind: str) -> None:
    """Work that must rest is given no key."""
    rig.deposit()
    rig.order(kind)
    envelope, _ = rig.request()
    with pytest.raises(StateConflict, match=f"order {kind}/JP 1 is in force over host host-1"):
        rig.keeper.release(envelope.raw)


@pytest.mark.parametrize(
    ("terms", "kept_back"),
    [
        (AccessTerms(), True),
        (AccessTerms(models=("model-1",)), True),
        (AccessTerms(models=("model-9",)), False),
        (AccessTerms(nationalities=("XA",)), False),
    ],
)
def test_a_suspension_keeps_the_key_back_where_nobody_is_left_to_serve(
    rig: KeeperRig, terms: AccessTerms, *, kept_back: bool
) -> None:
    """A class that is refused keeps no key back: the gate refuses it, the rest is served."""
    rig.deposit()
    rig.order("suspend-access", access=terms)
    lock = next(
        each
        for each in rig.desk.desk.recorded()
        if isinstance(each.verified.predicate, WeightsLocked)
    )
    order = rig.desk.desk.state.orders.in_force(rig.desk.clock.now())[0].order
    assert ends_serving(order, "model-1") is kept_back
    envelope, _ = rig.request()
    if kept_back:
        with pytest.raises(StateConflict, match="suspend-access/JP 1"):
            rig.keeper.release(envelope.raw)
    else:
        assert rig.keeper.release(envelope.raw)
    assert lock.leaf == rig.locked.leaf


def test_a_licence_that_ended_or_names_other_hosts_gives_no_key(rig: KeeperRig) -> None:
    """Before its begin, after its end, for a host that it does not name, for one that is retired."""
    rig.deposit()
    rig.desk.clock.move(90_000)
    envelope, _ = rig.request()
    with pytest.raises(StateConflict, match="licence LIC-1 is for"):
        rig.keeper.release(envelope.raw)
    lock = rig.keeper._locks[rig.locked.leaf]  # the pure check, asked directly
    other = f.host_enrolled("host-2", of=f.signer("host-2"), now=rig.desk.clock.now())
    rig.desk.desk.admit(f.signed(other, f.AUTHORITY[0], f.OPERATOR).raw)
    state, now = rig.desk.desk.state, rig.desk.clock.now()
    assert "licence LIC-1 does not name host host-2" in check_release_of_key(
        state, lock, "host-2", now
    )
    gone = HostRetired(effective=now, host="host-1", reason="scrapped")
    rig.desk.desk.admit(f.signed(gone, f.AUTHORITY[0], f.OPERATOR).raw)
    assert check_release_of_key(rig.desk.desk.state, lock, "host-1", now) == (
        "host host-1 is not enrolled",
    )


def test_the_keepers_copy_is_destroyed_at_revocation(rig: KeeperRig) -> None:
    """Nobody is given it again, and nobody can hand it in again either."""
    rig.deposit()
    revoke(rig)
    assert rig.keeper.tend() == 1
    assert rig.keeper.tend() == 0
    assert rig.shelf.load(rig.locked.leaf) is None
    with pytest.raises(StateConflict, match="revoked"):
        rig.deposit()


def test_weights_without_a_key_at_the_keeper_are_said_to_be_so(rig: KeeperRig) -> None:
    """A statement alone gives nobody a key."""
    envelope, _ = rig.request()
    with pytest.raises(StateConflict, match="holds no key"):
        rig.keeper.release(envelope.raw)


def test_a_key_destroyed_by_hand_is_gone(rig: KeeperRig) -> None:
    """destroy-key, whether or not the keeper runs."""
    rig.deposit()
    assert rig.keeper.destroy(rig.locked.leaf)
    assert not rig.keeper.destroy(rig.locked.leaf)
    envelope, _ = rig.request()
    with pytest.raises(StateConflict, match="holds no key"):
        rig.keeper.release(envelope.raw)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"licence": Reference(log=f.ORIGIN, leaf="9" * 64)}, "is not in the log"),
        ({"party": "party-2"}, "not party-2's"),
    ],
)
def test_weights_are_locked_under_a_licence_by_its_licensee(
    rig: KeeperRig, changes: dict[str, object], told: str
) -> None:
    """A lock under nobody's licence, or another's, does not enter the log."""
    import msgspec

    fact = rig.keeper._locks[rig.locked.leaf].fact  # the statement of the rig
    other = msgspec.structs.replace(fact, ciphertext="5" * 64, **changes)
    party = f.signer("party-2")
    enrolled = msgspec.structs.replace(
        f.party_enrolled(), party="party-2", public=party.public.to_text()
    )
    rig.desk.desk.admit(f.signed(enrolled, f.AUTHORITY[0]).raw)
    signer = party if other.party == "party-2" else f.PARTY
    with pytest.raises(StateConflict, match=told):
        rig.desk.desk.admit(f.signed(other, signer).raw)


def test_a_suspension_of_access_ends_no_lease(rig: KeeperRig) -> None:
    """It is about users: work on the host is licensed on, and served to the rest."""
    rig.order("suspend-access", access=AccessTerms())
    with rig.desk.desk.lock:
        assert rig.desk.leases.grant(rig.desk.request(rig.licence)).admitted.fresh
