"""Orders by predicate over HTTP: each host's own proof, in the feed and by its number, and the console's page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from sekisho.adapters.transport.control_client import ControlClient, parse_feed
from sekisho.model.membership import Membership
from sekisho.model.statements import OrderIssued, OrderReference, Scope
from sekisho.model.wire import from_json
from sekisho.operations.resolving import resolve_predicate
from sekisho.orders.membership import decide_membership, host_leaf
from sekisho.orders.where import parse_where
from sekisho.signing import parse_envelope
from tests.regime import LiveRegime
from tests.web.serving import serving

Asking: TypeAlias = TestClient[Litestar]


@pytest.fixture
def paused(regime: LiveRegime) -> Iterator[tuple[OrderIssued, OrderReference]]:
    """A pause of every host with a device, lifted again afterwards by its own scope."""
    state, control = regime.control.desk.state, regime.control
    cosigned = control.publisher.wait_witnessed(state.size - 1, 10)
    checkpoint = cosigned.checkpoint
    scope = resolve_predicate(
        state.rosters,
        parse_where(["devices at-least 1 and site is site-1"]),
        size=checkpoint.size,
        tree=checkpoint.root.hex(),
    )
    order = msgspec.structs.replace(regime.order(), scope=Scope(), resolved=scope)
    reference = regime.issue(order)
    yield order, reference
    resume = regime.order("resume", lifts=(reference,))
    regime.issue(msgspec.structs.replace(resume, scope=Scope(), resolved=scope))


def told(order: OrderIssued, host: str, value: object) -> str:
    assert order.resolved is not None
    return decide_membership(
        from_json(Membership, value, path="membership"),  # type: ignore[arg-type]  # JSON
        host_leaf(host),
        root=order.resolved.root,
        size=order.resolved.count,
    )


def test_an_order_comes_with_the_proof_of_the_host_that_asks(
    client: Asking, paused: tuple[OrderIssued, OrderReference]
) -> None:
    """By its number with `host`, additive: who names no host gets the order as before."""
    order, reference = paused
    url = f"/api/v1/orders/pause~JP/{reference.number}"
    assert told(order, "host-1", client.get(f"{url}?host=host-1").json()["membership"]) == "in"
    assert told(order, "host-9", client.get(f"{url}?host=host-9").json()["membership"]) == "out"
    assert client.get(url).json()["membership"] is None


def test_the_feed_brings_it_by_itself(
    client: Asking, paused: tuple[OrderIssued, OrderReference]
) -> None:
    """On sight and with its proof alike, read as an agent reads it; what is no such order has none."""
    order, reference = paused
    for host, says in (("host-1", "in"), ("host-9", "out")):
        path = f"/api/v1/hosts/{host}/feed?after=0"
        feed = parse_feed(client.get(path).content, path=path)
        mine = {
            parse_envelope(item.envelope).digest: item.membership
            for item in feed.items
            if item.membership is not None
        }
        assert set(mine) >= {reference.digest}
        assert order.resolved is not None
        shown = mine[reference.digest]
        root, size = order.resolved.root, order.resolved.count
        assert decide_membership(shown, host_leaf(host), root=root, size=size) == says
        assert len(feed.items) > len(mine)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("devices at least 1", "site is site-1", "hosts named")),
        ("ja", ("devices が 1 以上", "site が site-1", "台")),
    ],
)
def test_the_orders_page_says_predicate_count_and_hosts(
    client: Asking,
    paused: tuple[OrderIssued, OrderReference],
    language: str,
    words: tuple[str, ...],
) -> None:
    """In words, in both languages, with the hosts by name."""
    _, reference = paused
    page = client.get(
        f"/orders/pause~JP/{reference.number}", headers={"accept-language": language}
    ).text
    for word in (*words, "host-1"):
        assert word in page, word


def test_an_agents_client_asks_for_its_own_hosts_proof(
    regime: LiveRegime, paused: tuple[OrderIssued, OrderReference]
) -> None:
    """As it fetches an order that is missing; without a host there is no proof."""
    order, reference = paused
    with serving(regime.control) as url:
        client = ControlClient(url)
        mine = client.fetch_order("pause/JP", reference.number, "host-1").membership
        nobodys = client.fetch_order("pause/JP", reference.number).membership
        client.close()
    assert order.resolved is not None
    root, size = order.resolved.root, order.resolved.count
    assert decide_membership(mine, host_leaf("host-1"), root=root, size=size) == "in"
    assert nobodys is None
