"""What strangers bring to the issuer's door costs the hosts behind them little."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sekisho.model.errors import BadSignature, StateConflict
from sekisho.model.statements import make_payload
from sekisho.operations.leasing.line import WaitingLine
from sekisho.signing import PublicKey, parse_envelope, sign_payload
from tests import factory as f
from tests.desks import TestDesk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TestDesk]:
    with TestDesk(tmp_path) as made:
        yield made


def test_a_charter_at_the_lease_door_has_no_signature_tried(
    desk: TestDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its kind would have each of its signatures tried under each key; it is refused by its kind alone."""
    strangers = [f.signer(f"stranger-{n}") for n in range(8)]
    charter = sign_payload(make_payload(desk.charter), strangers).raw
    tried: list[bytes] = []
    honest = PublicKey.is_signed_by

    def count(key: PublicKey, signature: bytes, data: bytes) -> bool:
        tried.append(signature)
        return honest(key, signature, data)

    monkeypatch.setattr(PublicKey, "is_signed_by", count)
    for door in (desk.leases.grant, desk.leases.take_receipt):
        with pytest.raises(StateConflict, match="a charter-adopted is not a"):
            door(charter)
    assert tried == []
    desk.leases.grant(desk.request(desk.licensed()))
    assert tried


def test_a_request_of_many_signatures_is_verified_before_the_line(
    desk: TestDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever brings it does that himself: nobody who stands in line waits for it."""
    payload = parse_envelope(desk.request(desk.licensed())).payload
    raw = sign_payload(payload, [f.signer(f"stranger-{n}") for n in range(60)]).raw
    stood: list[object] = []
    monkeypatch.setattr(WaitingLine, "ask", lambda _, asked: stood.append(asked))
    with pytest.raises(BadSignature):
        desk.leases.grant(raw)
    assert stood == []
