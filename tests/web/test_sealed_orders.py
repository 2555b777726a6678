"""Sealed orders over HTTP: taken with what they conceal, shown to the host that asks by its key, and to nobody else."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from sekisho.model.statements import OrderSealed, Scope
from sekisho.model.wire import canonical
from sekisho.operations.ordering import OrderPlan, draft_order
from sekisho.operations.resolving import resolve_predicate
from sekisho.operations.sealing import seal_order
from sekisho.orders.asking import OrderAsked, sign_asked
from sekisho.orders.where import parse_where
from sekisho.signing import Envelope
from tests.factory import AUTHORITY, ORIGIN, VERIFIER, signed
from tests.regime import LiveRegime, key_of
from tests.sealed import SALTS

Asking = TestClient[Litestar]


def seal(regime: LiveRegime) -> tuple[Envelope, tuple[str, ...], OrderSealed]:
    """A pause of host-2 for two hours, sealed for one."""
    desk = regime.control.desk
    root_at = desk.grounds().root_at
    assert root_at is not None
    size = desk.state.size
    predicate = parse_where(["host is host-2"])
    scope = resolve_predicate(desk.state.rosters, predicate, size=size, tree=root_at(size).hex())
    plan = OrderPlan(
        kind="pause",
        scope=Scope(),
        effect="checkpoint-then-stop",
        lasts_s=7_200,
        legal_basis="a secret law",
        appeal="a court",
        resolved=scope,
    )
    order = draft_order(desk.state, plan, now=regime.now)
    sealed, texts = seal_order(desk.state, order, SALTS, opens=order.effective.plus(3_600))
    return signed(sealed, *AUTHORITY[:3], VERIFIER[0]), texts, sealed


@pytest.fixture
def issued(client: Asking, regime: LiveRegime) -> dict[str, Any]:
    """Where it stands, once it was handed in with what it conceals."""
    envelope, texts, sealed = seal(regime)
    body = canonical(
        {"disclosures": list(texts), "envelope": base64.b64encode(envelope.raw).decode()}
    )
    answer = client.post("/api/v1/sealed-orders", content=body)
    assert answer.status_code == 200, answer.text
    assert client.post("/api/v1/sealed-orders", content=body).json()["fresh"] is False
    return {**answer.json(), "number": sealed.number, "texts": texts}


def asked(regime: LiveRegime, host: str, number: int, by: str) -> bytes:
    request = OrderAsked(log=ORIGIN, host=host, register="pause/JP", number=number, at=regime.now)
    return sign_asked(request, key_of(by))


def test_without_what_it_conceals_it_is_refused(client: Asking, regime: LiveRegime) -> None:
    """By the route of all other statements, and with a body of another form."""
    envelope, texts, _ = seal(regime)
    plain = client.post("/api/v1/statements", content=envelope.raw)
    assert (plain.status_code, "disclosures" in plain.json()["detail"]) == (409, True)
    short = canonical({"disclosures": [texts[0]], "envelope": ""})
    assert client.post("/api/v1/sealed-orders", content=short).status_code == 422


def test_only_the_host_s_own_key_is_shown_it(
    client: Asking, regime: LiveRegime, issued: dict[str, Any]
) -> None:
    """In scope all, out of it the salt; another's key, and nobody's, nothing."""
    number = issued["number"]
    mine = client.post("/api/v1/orders/shown", content=asked(regime, "host-2", number, "host-2"))
    other = client.post("/api/v1/orders/shown", content=asked(regime, "host-1", number, "host-1"))
    assert sorted(mine.json()["disclosures"]) == sorted(issued["texts"])
    assert len(other.json()["disclosures"]) == 1
    assert (mine.json()["membership"]["says"], other.json()["membership"]["says"]) == ("in", "out")

    forged = asked(regime, "host-2", number, "host-1")
    assert client.post("/api/v1/orders/shown", content=forged).status_code == 403
    bare = client.get(f"/api/v1/orders/pause~JP/{number}?host=host-2").json()
    assert (bare["membership"], bare["disclosures"]) == (None, [])


def test_neither_console_nor_api_says_what_it_is(
    client: Asking, regime: LiveRegime, issued: dict[str, Any]
) -> None:
    """Every page for everybody shows that it is sealed, and neither law nor hosts."""
    for path in (
        "/",
        "/orders",
        f"/orders/pause~JP/{issued['number']}",
        "/control-room",
        "/log",
        "/api/v1/state",
        "/api/v1/hosts/host-2/feed",
    ):
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert "a secret law" not in answer.text, path
    page = client.get(f"/orders/pause~JP/{issued['number']}").text
    assert "Sealed: hosts in its scope were shown it" in page
    assert "everywhere" not in page.lower()
    assert regime.control.desk.state.orders.in_force(regime.now)
