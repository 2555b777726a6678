"""An agent that lacks a sealed order asks for it by its own key, and keeps what it is shown to itself."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from sekisho.adapters.storage.host_folder import HostFolder
from sekisho.agent.events import Event, OrderFetched
from sekisho.agent.post import Post
from sekisho.following import Followed
from sekisho.following.kept import FOLLOWED, keep_followed, load_followed
from sekisho.model.errors import StateConflict
from sekisho.orders.asking import OrderAsked, sign_asked, verify_asked
from sekisho.ports.control import FeedItem
from tests.attacks.test_order_sealed_agents import MINE, seal
from tests.factory import HOST, NOW, ORIGIN
from tests.fakes import FakeControl


class Asked(FakeControl):
    """A control plane that shows a sealed order by a host's key alone."""

    heard: list[bytes]
    refuses = False

    def fetch_shown(self, asked: bytes) -> FeedItem:
        self.heard = [asked]
        if self.refuses:
            raise StateConflict("not now")
        request = verify_asked(asked, lambda _: HOST.public, log=ORIGIN, now=NOW)
        return super().fetch_order(request.register, request.number, request.host)

    def fetch_order(self, register: str, number: int, host: str = "") -> FeedItem:
        item = super().fetch_order(register, number, host)
        return FeedItem(envelope=item.envelope, proof=item.proof)


def fetched(control: Asked) -> FeedItem | None:
    """What a post brings back of pause 1."""
    done, told = threading.Event(), list[Event]()

    def tell(event: Event) -> None:
        if isinstance(event, OrderFetched):
            told.append(event)
            done.set()

    def ask(register: str, number: int) -> bytes:
        asked = OrderAsked(log=ORIGIN, host="host-1", register=register, number=number, at=NOW)
        return sign_asked(asked, HOST)

    post = Post(control, "host-1", tell, ask)
    post.fetch_order("pause/JP", 1)
    post.start()
    try:
        assert done.wait(20)
    finally:
        post.end()
    (event,) = told
    assert isinstance(event, OrderFetched)
    return event.item


def test_a_sealed_order_is_asked_for_by_key() -> None:
    """Bare it says nothing, so the post asks once more under the host's signature."""
    control = Asked()
    envelope = seal(control, *MINE)
    control.admit(envelope)
    item = fetched(control)

    assert item is not None
    assert set(item.disclosures) == set(control.concealed[envelope.digest])
    assert item.membership is not None


def test_what_is_refused_leaves_the_bare_order() -> None:
    """Then the host knows of it at least, and seeks on."""
    control = Asked()
    control.refuses = True
    control.admit(seal(control, *MINE))
    item = fetched(control)

    assert item is not None
    assert item.disclosures == ()


def test_an_open_order_needs_no_request() -> None:
    """Nothing is signed where nothing is sealed."""
    control = Asked()
    control.heard = []
    control.issue(control.order())
    assert fetched(control) is not None
    assert control.heard == []


@pytest.mark.parametrize("mask", [0o000, 0o022])
def test_what_it_was_shown_lies_in_a_file_of_its_own(tmp_path: Path, mask: int) -> None:
    """Whatever the umask says: nobody else on the host reads what is sealed."""
    before = os.umask(mask)
    try:
        files = HostFolder(tmp_path)
        kept = Followed(
            kind="order-sealed", envelope=b"{}", proof=None, seen=NOW, disclosures=("a", "b")
        )
        keep_followed(files, kept)
    finally:
        os.umask(before)

    assert (tmp_path / FOLLOWED).stat().st_mode & 0o077 == 0
    assert list(load_followed(files)) == [kept]
