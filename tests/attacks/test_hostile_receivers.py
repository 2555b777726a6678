"""Whoever is pushed to, told or polled answers so as to hold a thread for ever, or to lead the sender elsewhere.

A library's timeout is of one read: without a bound on the whole exchange each of the dripping ones held its thread for
days, sixteen of them all pushes, and one control plane's address a host's poll of all the others.
"""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sekisho.adapters.instruments.dcgm_page import DcgmPage
from sekisho.adapters.schedulers.kubernetes.api import Api
from sekisho.adapters.transport import (
    control_client,
    http_tiles,
    register_client,
    webhook_client,
    witness_client,
)
from sekisho.adapters.transport.control_client import ControlClient
from sekisho.adapters.transport.http_tiles import HttpTileStore
from sekisho.adapters.transport.notice_webhook import WebhookNotifier
from sekisho.adapters.transport.push_client import PushClient
from sekisho.adapters.transport.register_client import RegisterClient
from sekisho.adapters.transport.statement_desk import send_envelope
from sekisho.adapters.transport.witness_client import HttpWitness
from sekisho.app import order_push
from sekisho.app.order_push import OrderPush
from sekisho.model.errors import InvalidInput, SekishoError, Unavailable
from sekisho.ports.notifier import Notice
from tests.certificates import write_certificate
from tests.desks import MovingClock, TestDesk
from tests.factory import NOW
from tests.hostile import (
    drips_body,
    drips_header,
    floods,
    hostile,
    leads_to,
    says_nothing,
)
from tests.operations.test_desk import issue, pause_plan
from tests.operations.test_feed import feed_of
from tests.receiving import receiving

ONE_READ_S = 0.4
"""The timeout of one read in these tests, eight times what a dripping server takes for a letter."""
FOR_EVER_S = 60.0
"""What an exchange never takes, however busy the machine; a dripping one without a bound never ends at all."""


@pytest.fixture
def push() -> Iterator[PushClient]:
    client = PushClient(connections=2, timeout_s=ONE_READ_S)
    yield client
    client.close()


def ends(exchange: Callable[[], object]) -> None:
    """It is given up as unavailable, in bounded time."""
    began = time.monotonic()
    with pytest.raises(Unavailable):
        exchange()
    assert time.monotonic() - began < FOR_EVER_S


@pytest.mark.parametrize("speak", [drips_header, drips_body, floods, says_nothing])
def test_push_to_a_host_whose_answer_never_ends(
    push: PushClient, speak: Callable[..., None]
) -> None:
    """Dripping, flooding or silent: the exchange ends within its whole time, and counts as not told."""
    with hostile(speak) as address:
        ends(lambda: push.send(address, b"{}"))


def test_push_that_is_led_elsewhere(push: PushClient) -> None:
    """No redirect is followed: what a host is told goes to the address that was named and to no other."""
    with receiving() as elsewhere, hostile(leads_to(f"{elsewhere.address}/stolen")) as address:
        ends(lambda: push.send(address, b"{}"))
    assert elsewhere.came == []


def test_push_over_tls_to_a_stranger(push: PushClient, tmp_path: Path) -> None:
    """A certificate of nobody's, and a server that speaks no TLS at all: nothing is sent to either."""
    write_certificate(tmp_path / "c.pem", tmp_path / "c.key")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "c.pem", tmp_path / "c.key")
    with hostile(says_nothing, context=context) as stranger, hostile(drips_header) as plain:
        ends(lambda: push.send(stranger, b"{}"))
        ends(lambda: push.send(plain.replace("http:", "https:"), b"{}"))


def test_hostile_addresses_do_not_keep_a_pause_from_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many dripping hosts as there are threads, and more: the one that listens has the pause all the same."""
    monkeypatch.setattr(order_push, "FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(order_push, "LONGEST_PAUSE_S", 0.01)
    client = PushClient(connections=order_push.AT_ONCE, timeout_s=ONE_READ_S)
    with TestDesk(tmp_path) as desk, receiving() as host, hostile(drips_header) as address:
        feed = feed_of(desk)
        feed.take_published(desk.cosigned())
        hosts = {f"host-{n}": address for n in range(2, 2 * order_push.AT_ONCE + 2)}
        pushing = OrderPush(feed, {**hosts, "host-1": host.address}, client.send)
        pushing.start()
        try:
            wait_for(lambda: any(s.standing == "silent" for s in pushing.states()))
            issue(desk, pause_plan())
            order = desk.desk.recorded()[-1].verified.envelope.raw
            wait_for(lambda: any(in_page(order, body) for _, _, body in host.came))
        finally:
            pushing.stop()
            client.close()


def in_page(envelope: bytes, body: bytes) -> bool:
    return envelope in [i.envelope for i in control_client.parse_feed(body, path="push").items]


def wait_for(found: Callable[[], bool]) -> None:
    until = time.monotonic() + FOR_EVER_S
    while not found():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_control_plane_that_drips_does_not_hold_a_hosts_poll(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A host asks several addresses in turn: one that never ends its header is passed over like a silent one."""
    monkeypatch.setattr(control_client, "WHOLE_S", 0.5)
    with hostile(drips_header) as address:
        client = ControlClient(address, timeout_s=ONE_READ_S)
        ends(lambda: client.fetch_feed("host-1", 0, 0))
        client.close()


@pytest.mark.parametrize("speak", [drips_header, drips_body])
def test_whoever_an_agent_an_observer_or_a_person_asks_drips(
    speak: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An API server, a page of devices, a register and a control plane: none of them holds who asks for ever."""
    monkeypatch.setattr(register_client, "WHOLE_S", 0.5)
    with hostile(speak) as address:
        api = Api(address, timeout_s=ONE_READ_S)
        ends(lambda: api.get("/version"))
        # A watch that tells nothing is a quiet cluster's: it ends, and its caller lists anew.
        assert list(api.watch("/api/v1/pods", "1", within_s=1)) == []
        api.close()
        page = DcgmPage(url=f"{address}/metrics", timeout_s=ONE_READ_S)
        ends(lambda: page.read(NOW))
        page.close()
        with RegisterClient(address) as register:
            ends(register.fetch_origin)
        ends(lambda: send_envelope(address, b"{}", timeout_s=ONE_READ_S))


def test_witness_that_drips_does_not_hold_the_publisher(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its seat is free again after the whole time of one exchange."""
    monkeypatch.setattr(witness_client, "WHOLE_S", 0.5)
    with hostile(drips_header) as address, HttpWitness(address, timeout_s=ONE_READ_S) as witness:
        ends(lambda: witness.add_checkpoint(0, (), b"note"))


def test_log_that_drips_does_not_hold_its_monitor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who watches a log is told that it is silent: a monitor that hangs in a header raises no alarm at all."""
    monkeypatch.setattr(http_tiles, "WHOLE_FILE_S", 0.5)
    with hostile(drips_header) as address:
        store = HttpTileStore(address, timeout_s=ONE_READ_S)
        ends(lambda: store.read("checkpoint", 1_000))
        ends(lambda: store.exists("checkpoint"))
        store.close()


def test_log_behind_a_proxy_that_drips(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy that the environment names for public logs is asked, and bounded like the log itself."""
    monkeypatch.setattr(http_tiles, "WHOLE_FILE_S", 0.5)
    with hostile(drips_header) as proxy:
        monkeypatch.setenv("https_proxy", proxy)
        store = HttpTileStore("https://log.example/log", timeout_s=ONE_READ_S)
        ends(lambda: store.read("checkpoint", 1_000))
        store.close()


@pytest.mark.parametrize("speak", [drips_header, drips_body, floods, says_nothing])
def test_webhook_secrets_are_in_no_log_and_no_problem(
    speak: Callable[..., None], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Many a webhook's path is its secret: whatever goes wrong, neither it nor the shared secret is told to anybody."""
    monkeypatch.setattr(webhook_client, "WHOLE_S", 0.5)
    secret, path = b"a shared secret of thirty-two bytes", "/services/T000/B000/very-secret"
    caplog.set_level(logging.DEBUG)
    with hostile(speak) as address:
        place = WebhookNotifier(f"{address}{path}", secret, MovingClock())
        began = time.monotonic()
        with pytest.raises(SekishoError) as refused:
            place.tell(Notice(notice="n1", event="test", at=NOW, text="-"))
        place.close()
    assert time.monotonic() - began < FOR_EVER_S
    told = f"{refused.value} {refused.value.message} {refused.value.remedy} {caplog.text}"
    assert "very-secret" not in told
    assert secret.decode() not in told


def test_webhook_secret_in_a_bad_address_is_not_told() -> None:
    """An address that will not do is refused without its path."""
    with pytest.raises(InvalidInput) as refused:
        WebhookNotifier("http://a.example/very-secret", b"s" * 32, MovingClock())
    assert "very-secret" not in f"{refused.value} {refused.value.remedy}"
