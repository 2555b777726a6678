"""The lease request that waits for its answer: one at a time, the same again after a restart, under one nonce."""

from __future__ import annotations

import msgspec

from sekisho.agent.acceptance import TakenLease, take_lease
from sekisho.agent.events import LeaseCame
from sekisho.agent.host import Host
from sekisho.model.statements import LeaseRequested, Reference, make_payload, parse_payload
from sekisho.signing import parse_envelope, sign_payload

__all__ = ["Requests"]

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 10.0


class Requests:
    """What this host asks its issuer for, and when it may ask again.

    `forsaken`: the answer to what waits must not be used, since it is not of this boot.
    """

    def __init__(self, host: Host) -> None:
        self._host = host
        self.waiting = host.memory.load_request()
        self.forsaken = False
        self._again = False  # what came in answer was not in order: the same request once more
        self._ask_at_s = 0.0
        self._pause_s = FIRST_PAUSE_S

    @property
    def may_ask(self) -> bool:
        """Whether the pause after a refusal is over."""
        return self._host.clock.elapsed_s() >= self._ask_at_s

    def forsake(self) -> None:
        """A request from before a reboot or a rollback: its answer keeps the numbers whole, and is not used."""
        self.forsaken = self.waiting is not None

    def resume(self) -> None:
        """After a restart: ask again what was being asked, unless it was answered already."""
        if self.waiting is None:
            return
        asked = parse_payload(parse_envelope(self.waiting, path="request.dsse").payload).predicate
        following = self._host.memory.state.lease_number + 1
        if isinstance(asked, LeaseRequested) and asked.number == following:
            self._host.outbox.send_request(self.waiting)
        else:
            self.drop()

    def repeat(self) -> bool:
        """Whether a request waits already; it is sent again where its answer was not in order."""
        if self.waiting is not None and self._again:
            self._again = False
            self._host.outbox.send_request(self.waiting)
        return self.waiting is not None

    def ask(self, licence: str) -> None:
        """Ask for the next lease of a licence, by its leaf."""
        host, state = self._host, self._host.memory.state
        asked_us = round(host.clock.elapsed_s() * 1_000_000)  # before the nonce is drawn
        request = LeaseRequested(
            effective=host.clock.now(),
            host=host.settings.host,
            licence=Reference(log=host.follower.origin, leaf=licence),
            number=state.lease_number + 1,
            nonce=host.nonce(),
            quantum=state.quantum,
            last_receipt=state.receipt,
        )
        self.waiting = sign_payload(make_payload(request), (host.signer,)).raw
        host.memory.save(msgspec.structs.replace(state, asked_us=asked_us))
        # Crash here: no request is known, and the next start asks anew.
        host.memory.save_request(self.waiting)
        # Crash here: the request waits on the disk and is sent at the next start.
        host.outbox.send_request(self.waiting)

    def take(self, event: LeaseCame) -> TakenLease:
        """The lease that answers what waits. Raises the named error where it is not in order."""
        state = self._host.memory.state
        return take_lease(
            event.answer,
            event.request,
            self._host.follower,
            last_number=state.lease_number,
            latest=self._host.latest(),
            asked_us=state.asked_us,
        )

    def ask_again(self) -> None:
        """What came was not in order: the very same request, after a while."""
        self._slow_down()
        self._again = True

    def refused(self) -> None:
        """The issuer says no: ask anew, with a fresh nonce, after a while."""
        self.drop()
        self._slow_down()

    def answered(self) -> None:
        """A lease came and was taken."""
        self.drop()
        self._pause_s = FIRST_PAUSE_S

    def drop(self) -> None:
        """Nothing waits any more."""
        self._host.memory.clear_request()
        self.waiting, self.forsaken, self._again = None, False, False

    def _slow_down(self) -> None:
        self._ask_at_s = self._host.clock.elapsed_s() + self._pause_s
        self._pause_s = min(self._pause_s * 2, LONGEST_PAUSE_S)
