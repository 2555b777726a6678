"""Hosts under a cap or a suspension of access, and how orders get to hosts, as people on call see them."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from sekisho.app import PushState
from sekisho.model.statements import AccessTerms, OrderReference, ReceiptGiven, Scope, parse_payload
from sekisho.operations.delivery import Pushes
from sekisho.operations.ordering import OrderPlan, draft_order
from sekisho.web import control_room, delivery
from sekisho.web.watch_lists import tell_push, tell_push_states
from tests.factory import signed
from tests.regime import LiveRegime, key_of

Asking = TestClient[Litestar]
PLAN = OrderPlan(
    kind="cap",
    scope=Scope(sites=("site-1",)),
    effect="cap",
    lasts_s=3_600,
    legal_basis="Test act, section 1",
    appeal="in writing",
    cap_percent=40,
)


def words(text: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", text)))


def issue(regime: LiveRegime, plan: OrderPlan) -> OrderReference:
    return regime.issue(draft_order(regime.control.desk.state, plan, now=regime.now))


@pytest.fixture(scope="module")
def capped(regime: LiveRegime) -> Iterator[OrderReference]:
    """A cap that host-1 says it follows, while host-2 says nothing."""
    order = issue(regime, PLAN)
    regime.take("received", order=order)
    fact = parse_payload(regime.receipt("capped", order=order).payload).predicate
    assert isinstance(fact, ReceiptGiven)
    slowed = msgspec.structs.replace(fact, cap="cgroup-v2-cpu.max, 40 % left")
    regime.control.leases.take_receipt(signed(slowed, key_of("host-1")).raw)
    yield order
    regime.lift(order)


@pytest.mark.parametrize(
    ("language", "word", "means"),
    [("en", "Capped", "40 % left"), ("ja", "制限中", "40 % left")],
)
def test_a_capped_host_has_a_word_on_every_page(
    client: Asking, capped: OrderReference, language: str, word: str, means: str
) -> None:
    """It is not said to be non-responsive, and no page lacks a word for it."""
    for path in ("/hosts/host-1", "/hosts", "/", "/orders", "/orders/cap~JP/1", "/control-room"):
        answer = client.get(f"{path}?lang={language}")
        assert answer.status_code == 200, path
    page = words(client.get(f"/orders/cap~JP/1?lang={language}").text)
    assert word in page
    assert means in page


def test_a_cap_has_its_own_steps_and_lanes(
    client: Asking, regime: LiveRegime, capped: OrderReference, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody halts under a cap: no step asks for it, and who follows it is not late after its time."""
    text = client.get("/orders/cap~JP/1?lang=en").text
    picture = re.search(r'<svg class="chart lanes".*?</svg>', text, re.DOTALL)
    assert picture is not None
    assert picture.group(0).count('class="level"') == 2
    assert "Halted (claimed)" not in words(text)
    later = regime.now.plus(900)
    monkeypatch.setattr(type(regime.control.clock), "now", lambda _: later)
    told = words(client.get("/orders/cap~JP/1?lang=en&q=host-1").text)
    assert "Capped" in told
    state = client.get("/api/v1/state").json()
    (order,) = [each for each in state["orders"] if each["register"] == "cap/JP"]
    assert {h["host"]: h["standing"] for h in order["hosts"]} == {
        "host-1": "capped",
        "host-2": "non-responsive",
    }


def test_no_host_is_late_under_a_suspension_of_access(
    client: Asking, regime: LiveRegime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No receipt is asked of a host, so silence is no offence: its page says who states what was served."""
    plan = msgspec.structs.replace(
        PLAN,
        kind="suspend-access",
        effect="suspend-access",
        cap_percent=None,
        access=AccessTerms(models=("model-1",), nationalities=("XA",)),
    )
    issue(regime, plan)
    later = regime.now.plus(900)
    monkeypatch.setattr(type(regime.control.clock), "now", lambda _: later)
    text = words(client.get("/orders/suspend-access~JP/1?lang=en").text)
    assert "No receipt asked" in text
    assert "Non-responsive" not in text
    assert "受領証は不要" in words(client.get("/orders/suspend-access~JP/1?lang=ja").text)


def push_state(host: str, *, failed: int = 0, sent: int = 1) -> PushState:
    url = f"http://127.0.0.1:9/{host}"
    return PushState(host=host, url=url, sent=sent, failed_in_a_row=failed, problem="no answer")


def test_silent_addresses_are_counted_and_the_worst_are_named() -> None:
    """However many are silent, twenty are named: those that failed most often."""
    states = [push_state("a"), push_state("b", sent=0)]
    states += [push_state(f"c-{n:02d}", failed=n) for n in range(1, 31)]
    told = tell_push_states(states)
    assert (told.reached, told.untried, told.silent, told.addresses) == (1, 1, 30, 32)
    assert len(told.rows) == 20
    assert told.rows[0].host == "c-30"
    assert tell_push(None) is None


@pytest.mark.parametrize(
    ("language", "word"), [("en", "Push does not arrive"), ("ja", "プッシュ不達")]
)
def test_the_control_room_says_whom_pushes_do_not_reach(
    client: Asking, monkeypatch: pytest.MonkeyPatch, language: str, word: str
) -> None:
    """With the host and what its address said, as text; without addresses it says that there are none."""
    nobody = words(client.get(f"/control-room?lang={language}").text)
    assert "--push FILE" in nobody
    states = [push_state("host-1", failed=3), push_state("host-2")]
    states[0].problem = "<b>gone</b>"
    monkeypatch.setattr(control_room, "tell_push", lambda _: tell_push_states(states))
    text = client.get(f"/control-room?lang={language}").text
    assert word in words(text)
    assert "<b>gone</b>" not in text
    assert "--push FILE" not in text


def test_the_delivery_is_told_as_data(client: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    """Null where orders are pushed to nobody: that is not the same as nobody silent."""
    assert client.get("/api/v1/delivery").json()["push"] is None
    pushes = Pushes(reached=1, untried=0, silent=0, rows=())
    monkeypatch.setattr(delivery, "tell_push", lambda _: pushes)
    told = client.get("/api/v1/delivery").json()
    assert told["push"] == {"reached": 1, "untried": 0, "silent": 0, "rows": []}
    assert told["waiting"] == 0
