"""Attacks on the key of locked weights: asked for by who may not have it, or given as another one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from sekisho.access.keyring import HeldKey
from sekisho.adapters.keys.deposit_keys import HpkeSealer
from sekisho.adapters.storage.weights_keys import WeightsKeyFolder
from sekisho.model.errors import InvalidInput, NotAuthorised, StateConflict
from sekisho.model.statements import LicenceRevoked, Reference
from sekisho.model.wire import canonical, encode_base64
from sekisho.operations import key_release
from sekisho.signing.sealing import SealBroken, X25519Opener
from sekisho.signing.weights import (
    ReleasedKey,
    WrongWeightsKey,
    commit_key,
    open_release,
    parse_request,
    seal_deposit,
    seal_release,
)
from tests import factory as f
from tests.access.locks import KEY, SALT, KeeperRig, header_of
from tests.desks import TestDesk


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[KeeperRig]:
    with TestDesk(tmp_path) as desk:
        made = KeeperRig(desk)
        made.deposit()
        yield made


def test_a_key_request_replayed_is_refused(rig: KeeperRig) -> None:
    """The very bytes a second time, also after the keeper's restart: the log remembers."""
    envelope, _ = rig.request()
    rig.keeper.release(envelope.raw)
    with pytest.raises(StateConflict, match="answered already"):
        rig.keeper.release(envelope.raw)
    from sekisho.operations.key_release import KeyKeeper

    again = KeyKeeper(rig.desk.desk, rig.shelf, opener=rig.opener, sealer=HpkeSealer())
    for recorded in rig.desk.desk.recorded():
        again.take_recorded(recorded)
    with pytest.raises(StateConflict, match="answered already"):
        again.release(envelope.raw)


def test_an_old_key_request_is_refused(rig: KeeperRig) -> None:
    """Signed long ago and kept in a drawer, or dated ahead."""
    envelope, _ = rig.request()
    rig.desk.clock.move(301)
    with pytest.raises(StateConflict, match="is dated"):
        rig.keeper.release(envelope.raw)
    ahead, _ = rig.request(at=rig.desk.clock.now().plus(301))
    with pytest.raises(StateConflict, match="is dated"):
        rig.keeper.release(ahead.raw)


def test_a_key_request_by_another_host_under_this_ones_name_is_refused(rig: KeeperRig) -> None:
    """The name is the licence's host, the key another's."""
    envelope, _ = rig.request(by=f.signer("host-2"))
    with pytest.raises(NotAuthorised, match="no signature of host host-1"):
        rig.keeper.release(envelope.raw)


def test_a_key_request_of_a_host_that_nobody_enrolled_is_refused(rig: KeeperRig) -> None:
    """Neither are those for another log."""
    envelope, _ = rig.request(host="host-9", by=f.signer("host-9"))
    with pytest.raises(NotAuthorised, match="not enrolled"):
        rig.keeper.release(envelope.raw)
    foreign, _ = rig.request(log="another.example/log")
    with pytest.raises(NotAuthorised, match="another"):
        rig.keeper.release(foreign.raw)


def test_a_key_overheard_opens_for_nobody_else(rig: KeeperRig) -> None:
    """What is sealed to the host's fresh key opens with that key and for that request alone."""
    envelope, opener = rig.request()
    sealed = rig.keeper.release(envelope.raw)
    stranger = X25519Opener(X25519PrivateKey.generate())
    with pytest.raises(SealBroken):
        open_release(sealed, envelope.digest, stranger, commit_key(KEY, SALT))
    with pytest.raises(SealBroken):
        open_release(sealed, "0" * 64, opener, commit_key(KEY, SALT))


def test_a_key_request_after_revocation_is_refused_before_and_after_the_destruction(
    rig: KeeperRig,
) -> None:
    """The moment the revocation is in the log, whether or not the copy is destroyed yet."""
    fact = LicenceRevoked(
        effective=rig.desk.clock.now(),
        licence=Reference(log=f.ORIGIN, leaf=rig.licence.leaf),
        number="LIC-1",
        reason="withdrawn",
    )
    rig.desk.desk.admit(f.signed(fact, *f.AUTHORITY[:2]).raw)
    for _ in range(2):
        envelope, _opener = rig.request()
        with pytest.raises(StateConflict, match="revoked"):
            rig.keeper.release(envelope.raw)
        rig.keeper.tend()


@pytest.mark.parametrize("kind", ["pause", "hold"])
def test_a_key_request_with_an_order_in_force_is_refused(rig: KeeperRig, kind: str) -> None:
    """Whoever must rest is not given what work needs."""
    rig.order(kind)
    envelope, _ = rig.request()
    with pytest.raises(StateConflict, match="is in force"):
        rig.keeper.release(envelope.raw)


def test_a_key_destroyed_by_command_and_handed_in_again_is_not_kept(rig: KeeperRig) -> None:
    """Whoever kept the sealed file, or overheard it, does not bring back what was destroyed; nor after a restart."""
    assert rig.shelf.destroy(rig.locked.leaf)
    for shelf in (rig.shelf, WeightsKeyFolder(rig.desk.folder / "weights")):
        with pytest.raises(StateConflict, match="was destroyed here"):
            rig.deposit()
        assert shelf.load(rig.locked.leaf) is None
    envelope, _ = rig.request()
    with pytest.raises(StateConflict, match="holds no key"):
        rig.keeper.release(envelope.raw)


def test_a_key_asked_for_at_the_licences_last_minute_is_not_held_beyond_it(rig: KeeperRig) -> None:
    """Neither lease nor grace lasts past the period, also where nobody answers any more."""
    held = rig.desk.desk.state.licences.licences[rig.licence.leaf]
    period = held.licence.period
    rig.desk.clock.move(period.end.since(rig.desk.clock.now()) - 61.5)
    for left, lease, grace in ((61, 60, 1), (30, 30, 0), (0, 0, 0)):
        rig.desk.clock.move(period.end.since(rig.desk.clock.now()) - left - 0.5)
        envelope, opener = rig.request()
        sealed = rig.keeper.release(envelope.raw)
        released, _ = open_release(sealed, envelope.digest, opener, commit_key(KEY, SALT))
        assert (released.lease_s, released.grace_s) == (lease, grace)


def test_requests_without_end_fill_no_memory_and_none_is_answered_twice(
    rig: KeeperRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is too old to come again is forgotten: its date refuses it."""
    monkeypatch.setattr(key_release, "MAX_ANSWERED", 3)
    asked = []
    for _ in range(8):
        envelope, _ = rig.request()
        rig.keeper.release(envelope.raw)
        asked.append(envelope)
        rig.desk.clock.move(200)
    assert len(rig.keeper._answered) <= 5
    for envelope in asked:
        with pytest.raises(StateConflict, match=r"answered already|is dated"):
            rig.keeper.release(envelope.raw)


def test_a_wrong_key_commitment_is_not_kept(rig: KeeperRig) -> None:
    """A party that hands in another key than it committed to, or one for another file, is refused."""
    with pytest.raises(StateConflict, match="names this file and key"):
        rig.deposit(drawn=bytes(32))
    with pytest.raises(SealBroken):
        rig.deposit(drawn=bytes(32), key=commit_key(KEY, SALT))
    with pytest.raises(StateConflict, match="names this file and key"):
        rig.deposit(ciphertext="3" * 64)


def test_a_key_sealed_to_another_keeper_is_not_kept(rig: KeeperRig) -> None:
    """Nor one that the keeper cannot open."""
    stranger = X25519Opener(X25519PrivateKey.generate())
    sealed = seal_deposit(KEY, SALT, "2" * 64, stranger.key, HpkeSealer())
    with pytest.raises(SealBroken):
        rig.keeper.take_deposit(canonical(sealed))
    with pytest.raises(InvalidInput):
        rig.keeper.take_deposit(b"{}")


def test_a_keeper_that_answers_with_another_key_is_found_out(rig: KeeperRig) -> None:
    """The host compares with the locked file's own commitment before it decrypts anything."""

    class Lying:
        def send_key_request(self, envelope: bytes) -> bytes:
            request, signed = parse_request(envelope)
            other = ReleasedKey(
                key=encode_base64(bytes(32)), salt=encode_base64(SALT), lease_s=60, grace_s=2
            )
            return seal_release(other, request, signed.digest, HpkeSealer())

    held = HeldKey(
        header_of(),
        rig.locked.leaf,
        host="host-1",
        log=f.ORIGIN,
        signer=f.HOST,
        desk=Lying(),
        clock=rig.desk.clock,
    )
    with pytest.raises(WrongWeightsKey):
        held.ask()
    assert not held.is_held


def test_a_release_from_outside_is_not_admitted(rig: KeeperRig) -> None:
    """Nobody but the keeper itself says that a key was given."""
    envelope, _ = rig.request()
    rig.keeper.release(envelope.raw)
    told = rig.desk.desk.recorded()[-1].verified.envelope.raw
    other = f.signed(rig.desk.desk.recorded()[-1].verified.predicate, f.PARTY)
    with pytest.raises(NotAuthorised):
        rig.desk.desk.admit(other.raw)
    assert rig.desk.desk.admit(told).fresh is False
