"""Supposing: what a statement says if its signatures are right, and which these are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sekisho.model.errors import BadSignature, StateConflict
from sekisho.model.statements import LeaseRequested, Reference
from sekisho.signing import PublicKey, Regime, UnknownSpeaker
from sekisho.signing.supposing import suppose
from tests import factory as f
from tests.desks import TestDesk

KINDS = frozenset({"lease-requested"})


@pytest.fixture
def regime(tmp_path: Path) -> Iterator[Regime]:
    with TestDesk(tmp_path) as desk:
        yield desk.desk.state.regime


def request(host: str = "host-1") -> LeaseRequested:
    return LeaseRequested(
        effective=f.NOW,
        host=host,
        licence=Reference(log=f.ORIGIN, leaf="0" * 64),
        number=1,
        nonce="ab" * 16,
        quantum=0,
    )


def test_what_is_supposed_is_what_verifying_says(regime: Regime) -> None:
    """And its one row is the signature that verifying tries."""
    raw = f.signed(request(), f.HOST).raw
    supposed = suppose(regime, raw, KINDS)
    assert supposed.verified == regime.verify(raw)
    ((spki, signature, data),) = supposed.rows
    assert spki == f.HOST.public.spki
    assert PublicKey(spki).is_signed_by(signature, data)


def test_a_forged_signature_is_supposed_and_its_row_is_wrong(regime: Regime) -> None:
    """Supposing tries nothing: the row names the host's own key, and that key did not sign it."""
    raw = f.signed(request(), f.signer("stranger")).raw
    with pytest.raises(BadSignature):
        regime.verify(raw)
    ((spki, signature, data),) = suppose(regime, raw, KINDS).rows
    assert spki == f.HOST.public.spki
    assert not PublicKey(spki).is_signed_by(signature, data)


def test_who_is_unknown_is_refused_at_once(regime: Regime) -> None:
    """No signature makes it right."""
    with pytest.raises(UnknownSpeaker):
        suppose(regime, f.signed(request("host-9"), f.HOST).raw, KINDS)


def test_another_kind_is_refused_with_its_name(regime: Regime) -> None:
    """Before a key is looked for."""
    with pytest.raises(StateConflict, match="a run-declared is not a lease-requested"):
        suppose(regime, f.signed(f.run_declared(), f.PARTY).raw, KINDS)
