"""What came from the control plane and what must still be kept, fetched or sent again.

Nothing here is acted on: whoever decides looks at the books that these words went into.
"""

from __future__ import annotations

from sekisho.agent.acceptance import take_acknowledgement
from sekisho.agent.events import Delivered, OrderFetched
from sekisho.agent.host import Host
from sekisho.following import Finding, Followed, Unwitnessed
from sekisho.model.errors import SekishoError
from sekisho.orders import UnwitnessedRelease, UnwitnessedSeal
from sekisho.ports.control import Feed, FeedItem

__all__ = ["Correspondence"]

RESEND_EVERY_S = 2.0
FETCH_EVERY_S = 2.0
FETCH_AT_ONCE = 16
_TOO_EARLY = (UnwitnessedRelease.code, UnwitnessedSeal.code)
_WITHOUT_PROOF = (Unwitnessed.code, *_TOO_EARLY)


class Correspondence:
    """One host's dealings with its control plane. `has_contact`: the feed was heard since this agent started."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.has_contact = False
        self.unkept: list[Followed] = []
        # Taken by the issuer, but not acknowledged as it must be.
        self._unanswered: set[int] = set()
        self._resend_at_s = self._fetch_at_s = 0.0

    def take(self, feed: Feed) -> tuple[int, list[Finding]]:
        """Fold a feed: how many items are accepted, and what is wrong with the others."""
        accepted, findings = self._host.follower.take(feed, self._host.clock.elapsed_s())
        self.unkept += accepted
        return len(accepted), findings

    def take_pushed(self, feed: Feed) -> list[Finding]:
        """Fold what was sent to our own address, and say what is wrong with it. It is no sign of life of anybody.

        What only lacks its proof is nobody's fault: whoever pushed it may have found it in the log.
        """
        _, findings = self.take(feed)
        return [finding for finding in findings if finding.code not in _WITHOUT_PROOF]

    def hear_order(self, event: OrderFetched) -> list[Finding]:
        """An order that was fetched, or that could not be had."""
        if event.item is None:
            return []
        kept, finding = self._host.follower.take_item(event.item)
        self.unkept += [kept] if kept else []
        return [finding] if finding is not None and not _is_too_early(event.item, finding) else []

    def hear_delivery(self, event: Delivered) -> list[Finding]:
        """Only a quantum's receipt waits for an acknowledgement; what comes instead of one counts for nothing."""
        memory = self._host.memory
        given = memory.pending.get(event.sequence)
        if given is None:
            return []
        if given.link.receipt.stage != "quantum":
            memory.deliver(event.sequence)
            return []
        self._unanswered.add(event.sequence)
        if event.acknowledgement is None:
            return []
        try:
            self._acknowledged(event.acknowledgement)
        except SekishoError as error:
            return [Finding(code=error.code, detail=str(error), about=given.link.digest)]
        return []

    def _acknowledged(self, raw: bytes) -> None:
        """Take an acknowledgement. Raises the named error where it is none of ours."""
        memory, follower = self._host.memory, self._host.follower
        digests = {sequence: g.link.digest for sequence, g in memory.pending.items()}
        told = take_acknowledgement(raw, follower, receipts=digests)
        follower.hear_heads(told.heads)
        memory.deliver(told.sequence)
        self._unanswered.discard(told.sequence)
        if memory.counter.tier == "C2" and told.challenge not in (None, memory.state.challenge):
            # Crash here: the challenge before is answered once more, and the issuer sends this one again.
            memory.save(memory.state.challenged(told.challenge))

    def keep(self) -> None:
        """Make durable what was accepted."""
        for followed in self.unkept:
            self._host.memory.keep(followed)
        self.unkept.clear()

    def chase(self, now: float) -> None:
        """Fetch what is outstanding, send again what should have been acknowledged."""
        outstanding = self._host.follower.lacking(self._host.latest())
        if outstanding and now >= self._fetch_at_s:
            self._fetch_at_s = now + FETCH_EVERY_S
            for register, number in outstanding[:FETCH_AT_ONCE]:
                self._host.outbox.fetch_order(register, number)
        if self._unanswered and now >= self._resend_at_s:
            self._resend_at_s = now + RESEND_EVERY_S
            for sequence in sorted(self._unanswered & self._host.memory.pending.keys()):
                self._host.outbox.send_receipt(self._host.memory.pending[sequence])


def _is_too_early(item: FeedItem, finding: Finding) -> bool:
    """An order that we asked for and that the witnesses have not seen yet: no lie, we ask again."""
    return item.proof is None and finding.code in _TOO_EARLY
