"""A host without a network: what it asks is carried away, and what comes is carried in."""

from __future__ import annotations

from sekisho.agent.carrying import Carrying
from sekisho.agent.inbox import Outcome
from sekisho.ledger import leaf_hash
from sekisho.licensing.carrying import write_feed_file, write_lease_file
from sekisho.model.errors import InvalidInput
from sekisho.ports.control import FeedItem, LeaseAnswer
from tests.fake_tpm import TpmRig
from tests.fakes import FakeControl, Rig

__all__ = ["FakeBox", "Handed"]


class FakeBox:
    """Implements agent.carrying.DropBox in memory."""

    def __init__(self) -> None:
        self.dropped: list[tuple[str, bytes | InvalidInput]] = []
        self.outcomes: list[Outcome] = []

    def look(self) -> list[tuple[str, bytes | InvalidInput]]:
        return list(self.dropped)

    def answer(self, name: str, outcome: Outcome) -> None:
        self.dropped = [row for row in self.dropped if row[0] != name]
        self.outcomes.append(outcome)


class Handed:
    """A rig that hears nothing by itself, and the issuer whom somebody walks to."""

    def __init__(self, rig: Rig | None = None) -> None:
        self.rig = rig or TpmRig()
        self.control: FakeControl = self.rig.control
        self.control.is_silent = True
        self.box = FakeBox()
        self.carrying = Carrying(self.rig.host, self.rig.duty, self.box)

    def wake(self) -> None:
        """Another agent process over the same home and inbox."""
        self.rig.wake()
        self.carrying = Carrying(self.rig.host, self.rig.duty, self.box)

    def carry_in(self, raw: bytes) -> Outcome:
        """Drop a file, let the agent look, and give what it answers."""
        self.box.dropped.append((f"{len(self.box.outcomes):032x}.json", raw))
        self.rig.clock.advance(1)
        self.carrying.look()
        self.rig.turn()
        return self.box.outcomes[-1]

    def feed_file(self) -> bytes:
        """All that the control plane would have told by now."""
        self.control.is_silent = False
        feed = self.control.fetch_feed("host-1", 0, 0)
        self.control.is_silent = True
        return write_feed_file(feed.items, feed.checkpoint)

    def request(self) -> bytes:
        raw = self.rig.host.memory.load_request()
        assert raw is not None
        return raw

    def answer(self, request: bytes | None = None) -> LeaseAnswer:
        """The issuer's answer to the request that was carried to it."""
        self.control.is_silent = False
        answer = self.control.send_request(request or self.request())
        self.control.is_silent = True
        return answer

    def licensed(self) -> Handed:
        """With charter, enrolment and licence carried in, so that a request waits."""
        self.control.license()
        told = self.carry_in(self.feed_file())
        assert told.taken, told.details
        return self

    def leased(self) -> Handed:
        """With a first lease carried in."""
        told = self.carry_in(write_lease_file(self.licensed().answer()))
        assert told.taken, told.details
        return self

    @staticmethod
    def leaf(answer: LeaseAnswer) -> str:
        return leaf_hash(answer.envelope).hex()


def one_item(raw: bytes, proof: str | None = None) -> bytes:
    """A feed file of one item."""
    return write_feed_file((FeedItem(envelope=raw, proof=proof),))
