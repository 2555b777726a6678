"""Pages for everybody while an order is sealed: none tells a host in its scope from one outside."""

from __future__ import annotations

import base64
import re

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from sekisho.model.instants import Instant
from sekisho.model.wire import canonical
from tests.regime import LiveRegime
from tests.web.test_sealed_orders import seal

Asking = TestClient[Litestar]


def issue(client: Asking, regime: LiveRegime) -> None:
    """A sealed pause of host-2 enters the log, where none is there yet."""
    if regime.control.desk.state.orders.in_force(regime.now):
        return
    envelope, texts, _ = seal(regime)
    body = canonical(
        {"disclosures": list(texts), "envelope": base64.b64encode(envelope.raw).decode()}
    )
    assert client.post("/api/v1/sealed-orders", content=body).status_code == 200


def test_no_page_tells_a_host_in_its_scope_from_one_outside(
    client: Asking, regime: LiveRegime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reach of another order, both hosts' own pages, the fleet and the figures are the same before and after."""
    moment = regime.now
    monkeypatch.setattr(type(regime.control.clock), "now", lambda _: moment)
    paths = (
        "/reach?by=everywhere&kind=pause",
        "/reach?by=hosts&names=host-2",
        "/hosts/host-1",
        "/hosts/host-2",
        "/control-room",
        "/api/v1/work",
        "/api/v1/halts?state=open",
    )

    def told(path: str) -> str:
        answer = client.get(path)
        assert answer.status_code == 200, path
        # The frame counts orders, and says of a sealed one that it stands.
        body = answer.text.partition("<main")[2].partition("</main>")[0] or answer.text
        return re.sub(r'nonce="[^"]*"|data-size="[^"]*"', "", body)

    before = {path: told(path) for path in paths}
    issue(client, regime)
    for path in paths:
        assert told(path) == before[path], path


def test_what_is_not_shown_is_not_said_to_be_nothing(client: Asking, regime: LiveRegime) -> None:
    """Whom a sealed order covers and what it does is unknown here: neither nobody, nor its kind's strictest."""
    issue(client, regime)
    for path in ("/?lang=en", "/orders?lang=en"):
        page = client.get(path).text
        assert "It covers no enrolled host" not in page, path
        assert "ealed: " in page, path
        assert "checkpoint, then stop" not in page, path
    (order,) = client.get("/api/v1/state").json()["orders"]
    assert (order["effect"], order["hosts"]) == ("sealed", [])
    assert regime.now.seconds < Instant.parse(order["opens"]).seconds
