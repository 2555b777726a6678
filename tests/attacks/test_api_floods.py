"""Floods at the API: whatever is sent without authority, an order that has its quorum gets in at once."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import msgspec
import pytest

from sekisho.app.control import WITNESSED_WITHIN_S
from sekisho.ledger import Cosigned
from sekisho.model.errors import SekishoError, Unavailable
from sekisho.model.statements import CharterKey, Constituency, make_payload
from sekisho.signing import parse_envelope, sign_payload
from sekisho.signing.keys import PublicKey
from tests import factory as f
from tests.desks import TestDesk
from tests.regime import LiveRegime, live_regime
from tests.web.serving import serving


@pytest.fixture(scope="module")
def regime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveRegime]:
    with live_regime(tmp_path_factory.mktemp("regime")) as running:
        yield running


def test_leases_that_wait_for_witnesses_do_not_keep_a_pause_out(
    regime: LiveRegime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One host asks sixty times at once while witnesses are silent; the pause is in the log before any gives up."""
    released = threading.Event()

    def wait(index: int, timeout: float) -> Cosigned:
        released.wait(timeout)
        raise Unavailable(f"entry {index} is not witnessed")

    request = regime.lease_request().raw
    order = f.signed(regime.order(), *f.AUTHORITY[:3], f.VERIFIER[0]).raw
    with serving(regime.control) as address, ThreadPoolExecutor(60) as pool:
        try:
            with monkeypatch.context() as silent:
                silent.setattr(regime.control.publisher, "wait_witnessed", wait)
                begun = time.monotonic()
                asked = [pool.submit(_post, f"{address}/api/v1/leases", request) for _ in range(60)]
                time.sleep(0.5)
                answer = _post(f"{address}/api/v1/statements", order)
                took_s = time.monotonic() - begun
        finally:
            released.set()
        assert {future.result() for future in asked} <= {200, 503}
    assert (answer, took_s < WITNESSED_WITHIN_S) == (200, True)


def test_a_charter_of_strange_keys_costs_no_more_than_the_charter_in_force(tmp_path: Path) -> None:
    """Signatures are tried against keys that the sender chose only once the keys in force have signed."""
    tried = []
    genuine = PublicKey.is_signed_by

    def count(key: PublicKey, signature: bytes, data: bytes) -> bool:
        tried.append(key.key_id)
        return genuine(key, signature, data)

    with TestDesk(tmp_path) as desk, pytest.MonkeyPatch.context() as counted:
        raw = _strange_charter(desk)
        counted.setattr(PublicKey, "is_signed_by", count)
        with pytest.raises(SekishoError):
            desk.desk.admit(raw)
    assert len(tried) <= 64 * 8


def test_an_envelope_that_nobody_signed_never_takes_the_desk(tmp_path: Path) -> None:
    """Verifying what has no authority is done beside the queue of those who have, not in it."""
    with TestDesk(tmp_path) as desk:
        order = f.order_issued(charter_digest=desk.charter_envelope.digest)
        raw = f.signed(order, f.signer("stranger")).raw
        refused: list[str] = []

        def ask() -> None:
            try:
                desk.desk.admit(raw)
            except SekishoError as error:
                refused.append(error.code)

        with desk.desk.lock:
            thread = threading.Thread(target=ask, daemon=True)
            thread.start()
            thread.join(2)
            in_time = not thread.is_alive()
        thread.join(2)
    assert (in_time, refused) == (True, ["not-authorised"])


def _post(address: str, body: bytes) -> int:
    answer = httpx.post(
        address, content=body, headers={"content-type": "application/json"}, timeout=30
    )
    return answer.status_code


def _strange_charter(desk: TestDesk) -> bytes:
    """A version 2 by hundreds of keys of the sender's own, under 64 signatures that fit none."""
    keys = [
        CharterKey(public=f.signer(f"s{n}").public.to_text(), organisation="S", holder=str(n))
        for n in range(128)
    ]
    strange = tuple(
        Constituency(name=f"strange-{n}", keys=tuple(keys[n * 64 : (n + 1) * 64])) for n in range(2)
    )
    terms = msgspec.structs.replace(
        desk.charter,
        version=2,
        previous=desk.charter_envelope.digest,
        constituencies=(*desk.charter.constituencies, *strange),
    )
    envelope = sign_payload(make_payload(terms), [f.signer(f"x{n}") for n in range(64)])
    return parse_envelope(envelope.raw).raw


def test_bodies_that_are_cut_off_write_nothing_into_the_servers_log(
    regime: LiveRegime, caplog: pytest.LogCaptureFixture
) -> None:
    """Anybody can hang up in the middle of a body, a million times: no trace of each is kept."""
    head = b"POST /api/v1/statements HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n{}"
    with serving(regime.control) as address:
        port = int(address.rpartition(":")[2])
        for _ in range(3):
            with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
                client.sendall(head)
                time.sleep(0.1)
        time.sleep(0.3)
    assert [record for record in caplog.records if record.name.startswith("sekisho")] == []
