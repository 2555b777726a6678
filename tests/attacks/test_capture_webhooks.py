"""Attacks by subscription: a server that POSTs where strangers say must not be led where they cannot go themselves."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import socket

import pytest

from sekisho.adapters.transport import webhook_client
from sekisho.adapters.transport.webhook_client import HttpWebhooks, is_allowed
from sekisho.model.errors import InvalidInput, Unavailable
from sekisho.model.instants import Instant
from sekisho.operations.register.delivering import sign_delivery
from sekisho.ports.subscriptions import Delivery
from tests.receiving import receiving


def delivery(url: str) -> Delivery:
    return Delivery(url=url, body=b"{}", headers={"content-type": "application/json"})


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://firm.example/hook",
        "ftp://firm.example/hook",
        "https://user:secret@firm.example/hook",
        "https://firm.example/hook#part",
        "https://169.254.169.254/",
        "https://[fe80::1]/",
        "https://[::ffff:169.254.169.254]/",
        "https://[64:ff9b::a9fe:a9fe]/",
        "https://[2002:a9fe:a9fe::1]/",
        "https://[fd00:ec2::254]/",
        "https://0.0.0.0/",
        "https://100.100.100.200/",
        "https://224.0.0.1/",
        "https://255.255.255.255/",
        "https:///hook",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "https://firm.example/\r\nX: y",
        "https://" + "a" * 2_000,
        "http://127.0.0.1.nip.example/",
        "http://localhost.firm.example/",
        "http://2130706433/",
        "",
    ],
)
def test_metadata_and_other_forbidden_addresses_are_refused_at_once(url: str) -> None:
    """Whoever subscribes with one is told so; nothing is sent."""
    with HttpWebhooks() as webhooks, pytest.raises(InvalidInput):
        webhooks.check(url)


@pytest.mark.parametrize("address", ["169.254.169.254", "fe80::1", "127.0.0.1", "0.0.0.0", "::1"])
def test_name_that_resolves_to_a_forbidden_address(address: str) -> None:
    """The name looks harmless; where it leads is judged when it is delivered to."""
    with HttpWebhooks(resolve=lambda *_: [address]) as webhooks:
        webhooks.check("https://harmless.example/hook")
        with pytest.raises(InvalidInput, match="no address for a webhook"):
            webhooks.deliver(delivery("https://harmless.example/hook"))


def test_name_with_one_forbidden_address_among_good_ones() -> None:
    """All of a name's addresses are judged: which one would be used is for the attacker's luck."""
    with (
        HttpWebhooks(resolve=lambda *_: ["93.184.216.34", "169.254.169.254"]) as webhooks,
        pytest.raises(InvalidInput),
    ):
        webhooks.deliver(delivery("https://mixed.example/hook"))


def test_name_that_changes_its_mind_after_it_was_judged() -> None:
    """It is resolved once, and the connection goes to what was judged (DNS rebinding)."""
    asked = []

    def resolve(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["169.254.169.254"]

    with receiving() as receiver, HttpWebhooks(resolve=resolve) as webhooks:
        port = receiver.address.rpartition(":")[2]
        webhooks.deliver(delivery(f"http://localhost:{port}/hook"))
    assert asked == ["localhost"]
    ((path, headers, _),) = receiver.came
    assert (path, headers["host"]) == ("/hook", f"localhost:{port}")


def test_plain_http_to_a_name_of_this_machine_that_leads_elsewhere() -> None:
    """Somebody made `localhost` mean another machine."""
    with (
        HttpWebhooks(resolve=lambda *_: ["10.0.0.7"]) as webhooks,
        pytest.raises(InvalidInput),
    ):
        webhooks.deliver(delivery("http://localhost:9/hook"))


def test_redirect_is_not_followed() -> None:
    """To the metadata address or anywhere else: it counts as not taken."""
    with receiving() as receiver, HttpWebhooks() as webhooks:
        receiver.status = 307
        receiver.headers = {"location": receiver.address + "/elsewhere"}
        with pytest.raises(Unavailable, match="307"):
            webhooks.deliver(delivery(receiver.address + "/hook"))
    assert [path for path, _, _ in receiver.came] == ["/hook"]


def test_endless_answer_is_cut_off() -> None:
    """What a receiver answers is read to a bound and forgotten."""
    with receiving() as receiver, HttpWebhooks() as webhooks:
        receiver.status, receiver.body = 200, b"x" * (webhook_client.MAX_ANSWER + 1)
        with pytest.raises(Unavailable, match="cannot be read"):
            webhooks.deliver(delivery(receiver.address))


def test_receiver_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """It holds a thread for a few seconds, not for ever."""
    monkeypatch.setattr(webhook_client, "TIMEOUT_S", 0.2)
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        HttpWebhooks() as webhooks,
        pytest.raises(Unavailable, match="does not answer"),
    ):
        webhooks.deliver(delivery(f"http://127.0.0.1:{silent.getsockname()[1]}/"))


def test_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the address that was judged would not be the one that is reached."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("all_proxy", "http://127.0.0.1:1")
    with receiving() as receiver, HttpWebhooks() as webhooks:
        webhooks.deliver(delivery(receiver.address))
    assert len(receiver.came) == 1


def test_forged_delivery_is_seen_by_its_signature() -> None:
    """Who does not have the secret cannot make the header; an old one fits neither another body nor another time."""
    secret, body, now = b"s" * 32, b'{"events":[]}', Instant.from_seconds(1_000)
    genuine = sign_delivery(secret, body, now)

    def is_genuine(header: str, came: bytes) -> bool:
        stamp, mac = header.split(",")
        signed = stamp.removeprefix("t=").encode() + b"." + came
        expected = hmac.new(secret, signed, hashlib.sha256).hexdigest()
        return hmac.compare_digest(mac.removeprefix("v1="), expected)

    assert is_genuine(genuine, body)
    assert not is_genuine(sign_delivery(b"x" * 32, body, now), body)
    assert not is_genuine(genuine, b'{"events":[1]}')
    assert not is_genuine(genuine.replace("t=1000", "t=2000"), body)


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("93.184.216.34", True),
        ("10.1.2.3", True),
        ("fd00::1", True),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
        ("::ffff:10.1.2.3", False),
        ("198.18.0.1", True),
        ("192.0.0.192", False),
        ("168.63.129.16", False),
        ("fec0::1", False),
        ("ff02::1", False),
        ("::", False),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", False),
    ],
)
def test_which_addresses_are_allowed(address: str, *, allowed: bool) -> None:
    """The rule as documented: public and private ones, and none that is special."""
    assert is_allowed(ipaddress.ip_address(address), is_here=False) is allowed
