"""Attacks on who vouches for captured documents."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from sekisho.model.errors import BadSignature, InvalidInput
from sekisho.model.wire import sha256_hex
from sekisho.signing.endorsing import EndorsedElsewhere, EndorsedOther, endorse
from sekisho.signing.keys import PublicKey
from tests import factory as f
from tests.capturing import (
    World,
    chip,
    commissioned,
    document,
    endorsed,
    enrolled,
    key_of,
    received,
    regime_of,
    shipped,
)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as running:
        running.send([commissioned(chip(1), chip(2))], "maker")
        running.send([shipped("maker", "dist", chip(1))], "maker")
        yield running


def is_untouched(world: World) -> bool:
    return world.standing(chip(1)).custodian == "maker" and world.store.load_numbers().event == 2


def test_replayed_endorsement_on_another_document(world: World) -> None:
    """A receiver's true endorsement of one receipt does not carry another one."""
    genuine = document(received("dist", chip(2)))
    forged = document(received("dist", chip(1)))
    with pytest.raises(EndorsedOther):
        world.register.capture(forged, endorsed(genuine, "dist"))
    assert is_untouched(world)


def test_replayed_endorsement_from_another_log(world: World) -> None:
    """What a party endorsed for a rehearsal's register means nothing in the real one."""
    data = document(received("dist", chip(1)))
    with pytest.raises(EndorsedElsewhere):
        world.register.capture(data, endorsed(data, "dist", log="rehearsal.example/log"))
    assert is_untouched(world)


def test_swapped_document_under_an_endorsement(world: World) -> None:
    """One byte more, or the same JSON written otherwise, is another document."""
    data = document(received("dist", chip(1)))
    for swapped in (data + b" ", data.replace(b'"received"', b'"received "'), data[:-1] + b" }"):
        if swapped != data:
            with pytest.raises(EndorsedOther):
                world.register.capture(swapped, endorsed(data, "dist"))
    assert is_untouched(world)


def test_strangers_key_does_not_pass_as_nobodys(world: World) -> None:
    """A signature by no known key is an error, not an unsigned document."""
    data = document(received("dist", chip(1)))
    with pytest.raises(BadSignature):
        world.register.capture(data, endorsed(data, f.signer("stranger")))
    assert is_untouched(world)


def test_strangers_key_under_a_partys_hint(world: World) -> None:
    """The hint says dist; the signature is a stranger's."""
    data = document(received("dist", chip(1)))
    raw = endorse(sha256_hex(data), f.ORIGIN, [f.signer("stranger")]).raw
    hinted = raw.replace(
        f.signer("stranger").public.key_id.encode(), key_of("dist").public.key_id.encode()
    )
    with pytest.raises(BadSignature):
        world.register.capture(data, hinted)
    assert is_untouched(world)


def test_party_whose_key_was_replaced_endorses_no_more(world: World) -> None:
    """The old key, stolen, endorses a receipt after the party enrolled another."""
    data = document(received("dist", chip(1)))
    stolen = endorsed(data, "dist")
    regime = world.regime
    world.regime = msgspec.structs.replace(
        regime, enrolled=regime.enrolled.with_party(enrolled("dist", f.signer("dist anew")))
    )
    with pytest.raises(BadSignature):
        world.register.capture(data, stolen)
    assert is_untouched(world)


def test_party_whose_key_was_reported_endorses_no_more(world: World) -> None:
    """A key that was reported compromised counts for nothing."""
    regime = world.regime
    silenced = msgspec.structs.replace(regime.keys, silenced={key_of("dist").public.key_id: 7})
    world.regime = msgspec.structs.replace(regime, keys=silenced)
    data = document(received("dist", chip(1)))
    with pytest.raises(BadSignature):
        world.register.capture(data, endorsed(data, "dist"))
    assert is_untouched(world)


def test_key_that_two_parties_enrolled_speaks_for_neither(world: World) -> None:
    """Who said something must stay one answer: enrolling somebody's public key again gives no voice."""
    regime = regime_of()
    world.regime = msgspec.structs.replace(
        regime, enrolled=regime.enrolled.with_party(enrolled("carrier", key_of("dist")))
    )
    data = document(received("dist", chip(1)))
    with pytest.raises(BadSignature):
        world.register.capture(data, endorsed(data, "dist"))
    assert is_untouched(world)


def test_flood_of_unknown_signatures_is_bounded(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand parties and an envelope full of strangers: so many tries and no more."""
    world.regime = regime_of([f"party-{n}" for n in range(1_000)])
    tried = []
    genuine = PublicKey.is_signed_by

    def count(key: PublicKey, signature: bytes, data: bytes) -> bool:
        tried.append(key.key_id)
        return genuine(key, signature, data)

    data = document(received("dist", chip(1)))
    flood = endorsed(data, *(f.signer(f"stranger {n}") for n in range(16)))
    monkeypatch.setattr(PublicKey, "is_signed_by", count)
    with pytest.raises(InvalidInput, match="too many signatures"):
        world.register.capture(data, flood)
    assert len(tried) <= 4_096


def test_endorsement_of_many_signatures_is_not_read(world: World) -> None:
    """Seventeen signatures are refused before any is tried."""
    data = document(received("dist", chip(1)))
    with pytest.raises(InvalidInput):
        world.register.capture(data, endorsed(data, *(f.signer(f"s{n}") for n in range(17))))
    assert is_untouched(world)


def test_front_running_an_event_does_not_keep_it_out(world: World) -> None:
    """Somebody who saw a receipt sends it first, unsigned and under his own name; the receiver's own still counts."""
    receipt = received("dist", chip(1))
    world.send([receipt])
    world.send([receipt], "carrier")
    assert world.send([receipt], "dist").taken == 1
    assert world.standing(chip(1)).custodian == "dist"


def test_old_answer_outlives_the_key_that_endorsed_it(world: World) -> None:
    """The same document again is the same answer although its signer has left; nothing new is taken by it."""
    data = document(received("dist", chip(1)))
    signature = endorsed(data, "dist")
    first = world.register.capture(data, signature)
    world.regime = regime_of(["maker"])
    assert world.register.capture(data, signature) == first
    assert world.store.load_numbers().event == 3
