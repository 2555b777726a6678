"""The door of the agents: the same answers as the framework's handlers give, for thousands at once."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from sekisho.ledger.line import Overloaded
from sekisho.model.errors import SekishoError
from sekisho.web import news as news_module
from sekisho.web.guard import SECURITY_HEADERS
from sekisho.web.news import News
from tests.regime import LiveRegime

Asking = TestClient[Litestar]


def test_both_ways_of_asking_tell_the_same(client: Asking) -> None:
    """A poll in the agents' own form and one in another order of its parts are answered alike."""
    quick = client.get("/api/v1/hosts/host-1/feed?after=0&wait_s=0")
    slow = client.get("/api/v1/hosts/host-1/feed?wait_s=0&after=0")
    assert quick.json()["items"] == slow.json()["items"]
    assert quick.json()["next"] == slow.json()["next"]
    assert quick.headers["content-type"] == "application/json"


def test_its_answers_bear_the_security_headers(client: Asking) -> None:
    """What is answered before the framework is answered under the same headers."""
    answer = client.get("/api/v1/hosts/host-1/feed?after=0&wait_s=0")
    assert SECURITY_HEADERS.items() <= dict(answer.headers).items()


@pytest.mark.parametrize(
    "query",
    ["after=-1&wait_s=0", "after=0&wait_s=61", "after=9007199254740993&wait_s=0", "after=x"],
)
def test_what_is_out_of_bounds_is_refused_by_the_framework(client: Asking, query: str) -> None:
    """The door takes the plain form alone; what lies outside of it is refused with its reason."""
    answer = client.get(f"/api/v1/hosts/host-1/feed?{query}")
    assert answer.status_code == 422
    assert answer.json()["code"] == "invalid-input"


def test_a_receipt_of_another_host_is_still_checked_for_where_it_comes_from(client: Asking) -> None:
    """A page of another site cannot send receipts: the guard stands before the door."""
    answer = client.post(
        "/api/v1/receipts", content=b"{}", headers={"origin": "https://evil.example"}
    )
    assert answer.status_code == 403


def test_receipts_that_nobody_can_judge_now_are_put_off(
    client: Asking, regime: LiveRegime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where too many wait the answer is 429 and says when to come again."""

    def full(_: bytes, tell: Any) -> None:
        tell(Overloaded("too many wait"))

    monkeypatch.setattr(regime.control.leases, "enqueue_receipt", full)
    answer = client.post("/api/v1/receipts", content=b"{}")
    assert answer.status_code == 429
    assert "retry-after" in answer.headers


def test_a_plane_that_is_fenced_off_sends_its_hosts_away(
    client: Asking, regime: LiveRegime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it knows is old: its feed is 503 and says that another process writes the log."""
    monkeypatch.setattr(regime.control, "fenced", "another process writes the log")
    answer = client.get("/api/v1/hosts/host-1/feed?after=0&wait_s=0")
    assert answer.status_code == 503
    assert answer.json()["code"] == "fenced-off"


class _Feed:
    """A feed that rings when it is told to."""

    def __init__(self) -> None:
        self.told = 0
        self.listener: Any = None

    def on_change(self, listener: Any) -> None:
        self.listener = listener

    def has_news(self, after: int) -> bool:
        return after != self.told


class _Control:
    def __init__(self) -> None:
        self.feed = _Feed()


def _news() -> tuple[News, _Feed]:
    control = _Control()
    return News(control), control.feed  # type: ignore[arg-type]  # its feed is all that is asked for


def test_a_thousand_waiters_are_woken_and_other_work_comes_in_between() -> None:
    """One ring wakes all who wait, a slice at a time: what else the loop has to do is not held up by all of them."""
    turns: list[int] = []

    async def run() -> list[bool]:
        news, feed = _news()
        news.open()
        waiters = [asyncio.ensure_future(news.wait(0, time.monotonic() + 60)) for _ in range(1000)]
        await asyncio.sleep(0)
        assert news.waiting == 1000
        feed.told = 1
        feed.listener()
        while not all(waiter.done() for waiter in waiters):
            await asyncio.sleep(0)
            turns.append(sum(waiter.done() for waiter in waiters))
        news.close()
        return [waiter.result() for waiter in waiters]

    assert all(asyncio.run(run()))
    assert len({count for count in turns if 0 < count < 1000}) > 3


def test_who_waits_in_vain_is_told_at_its_time() -> None:
    """Nothing new: False not before the deadline, and nobody is left waiting."""

    async def run() -> tuple[bool, float, int]:
        news, _ = _news()
        news.open()
        deadline = time.monotonic() + 0.4
        answer = await news.wait(0, deadline)
        return answer, time.monotonic() - deadline, news.waiting

    answer, late_s, left = asyncio.run(run())
    assert (answer, left) == (False, 0)
    assert late_s >= 0


def test_the_end_of_the_server_wakes_everybody() -> None:
    """A stop does not wait for long polls."""

    async def run() -> list[bool]:
        news, _ = _news()
        news.open()
        waiters = [asyncio.ensure_future(news.wait(0, time.monotonic() + 60)) for _ in range(300)]
        await asyncio.sleep(0)
        news.close()
        return list(await asyncio.gather(*waiters))

    assert asyncio.run(run()) == [False] * 300


def test_more_than_can_wait_are_told_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of those who wait is bounded, and so is what a flood of polls costs."""
    monkeypatch.setattr(news_module, "MAX_WAITING", 5)

    async def run() -> None:
        news, _ = _news()
        news.open()
        waiters = [asyncio.ensure_future(news.wait(0, time.monotonic() + 60)) for _ in range(5)]
        await asyncio.sleep(0)
        with pytest.raises(SekishoError):
            await news.wait(0, time.monotonic() + 60)
        news.close()
        await asyncio.gather(*waiters)

    asyncio.run(run())
