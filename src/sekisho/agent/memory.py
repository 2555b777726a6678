"""What a host must not forget, in the order in which it must be written, and what it finds when it wakes.

Files: `receipts.jsonl` (every receipt before it is sent), `state.json` (HostState), `counter`, `request.dsse` (the
lease request that waits for an answer), `followed.jsonl` and `heads.json` (what was accepted from the regime),
`delivered` (how far receipts have reached the issuer). Per quantum: receipt, state with q + 1, counter, permit, send.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

import msgspec

from sekisho.agent.receipts import ChainTail, GivenReceipt, Standing, parse_receipt, read_chain
from sekisho.following import Followed
from sekisho.following.kept import FOLLOWED, keep_followed, load_followed, parse_followed
from sekisho.licensing import BrokenChain, HostState, RolledBack, check_start, parse_state
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant
from sekisho.model.statements import ReceiptGiven
from sekisho.model.wire import canonical
from sekisho.ports.counter import Counter
from sekisho.ports.host_files import HostFiles

__all__ = ["FOLLOWED", "STATE", "Memory", "Opening", "parse_followed"]

RECEIPTS, STATE, REQUEST = "receipts.jsonl", "state.json", "request.dsse"
DELIVERED = "delivered"
NO_BOOT = "none"  # what stands for the boot until a fresh lease is in hand


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """What a host found at start: all sound, set back (with the reason), or another boot than before."""

    start: Literal["sound", "rolled-back", "rebooted"]
    detail: str = ""


class Memory:
    """One host's state, receipts and counter; `open` comes before everything else."""

    def __init__(self, files: HostFiles, counter: Counter, host: str) -> None:
        self._files = files
        self.counter = counter
        self._host = host
        self.state = HostState()
        self.standing = Standing()
        self.pending: dict[int, GivenReceipt] = {}
        self.delivered = 0
        self.tell_time: Callable[[], tuple[Instant, float] | None] = lambda: None
        self.known: tuple[Instant, float | None] | None = None
        self._boot = ""

    def open(self, boot: str) -> Opening:
        """Compare state, receipts and counter. Raises Corrupt where a file or the counter cannot be read.

        Equal is sound. A receipt that the state does not know yet, or a counter one behind, is a crash between two
        writes: it is completed, and the quantum counts as spent. Anything else is a rollback: what is left of the
        numbers is kept at its highest, no lease is. Until a fresh lease is taken (`trusted`) every further start finds
        another boot, too: an agent that dies before it gave back what it held must not make that good again.
        """
        self._boot = boot
        self.delivered = self._load_delivered()
        state, tail, problem = self._load()
        if self._is_new(tail) and self.counter.tier != "C0":
            # A TPM's index starts above every one that it ever had: a home that holds nothing begins where it stands.
            state = HostState(quantum=self.counter.read())
        if not problem:
            try:
                crash = check_start(state.quantum, self.counter.read()) == "crash"
            except RolledBack as error:
                problem = error.message
            else:
                if crash:
                    # Crash here: the counter is one behind as before, and the next start steps it.
                    self.counter.step()
        self.known = self._known_of(state, boot)
        rebooted = bool(state.boot) and self._is_other(state.boot, boot)
        state = self._highest(state, tail) if problem else state.forget_quantum()
        self.standing = tail.standing
        self.pending = {given.sequence: given for given in tail.pending}
        # Crash here: nothing is lost, the next start comes to the same state by the same steps.
        lasting = NO_BOOT if problem or rebooted else boot
        self.save(msgspec.structs.replace(state, boot=lasting))
        self.catch_up()  # after a rollback; a crash here leaves a rollback, which is found again
        if problem:
            return Opening(start="rolled-back", detail=problem)
        return Opening(start="rebooted" if rebooted else "sound")

    def trusted(self, state: HostState) -> HostState:
        """The state once a fresh lease was taken in this boot: from now on it counts."""
        return msgspec.structs.replace(state, boot=self._boot)

    def distrust(self) -> None:
        """The host slept: what is held does not count any more, whoever looks at it next."""
        # Crash before this: the next agent does not see that the host slept; its clocks counted it all the same.
        self.save(msgspec.structs.replace(self.state, boot=NO_BOOT))

    def is_another(self, boot: str) -> bool:
        """Whether this is another boot than the one that the state was written in."""
        return self._is_other(self.state.boot, boot)

    def _is_other(self, before: str, now: str) -> bool:
        """`kernel/TPM`: another kernel is another boot, on C2 other counts of the TPM as well.

        A kernel that starts the next one leaves the counts alone, but elapsed time begins anew: nobody knows for how
        long the host was away.
        """
        kernels = [boot.split("/", maxsplit=1)[0] for boot in (before, now)]
        return kernels[0] != kernels[1] or (self.counter.tier == "C2" and before != now)

    def record(self, given: GivenReceipt, state: HostState) -> None:
        """Make a receipt durable, then the state that includes it."""
        # Crash here: nothing happened.
        self._files.append(RECEIPTS, given.raw)
        # Crash here: a receipt that nobody saw; the next start takes it into the state, its quantum counts as spent.
        self.save(state.receipted(given.link.digest))
        self.pending[given.sequence] = given
        self.standing = self.standing.after(given.link.receipt)

    def _known_of(self, state: HostState, boot: str) -> tuple[Instant, float | None] | None:
        """What was known of the time, and at which elapsed time where that still counts from the same boot."""
        if state.known is None:
            return None
        is_same = state.boot.split("/")[0] == boot.split("/", maxsplit=1)[0]
        return state.known, state.known_at_us / 1_000_000 if is_same else None

    def save(self, state: HostState) -> None:
        """Make the state durable, with what is known of the time (`tell_time`) beside it."""
        told = self.tell_time()
        if told is not None:
            at_us = round(told[1] * 1_000_000)
            state = msgspec.structs.replace(state, known=told[0], known_at_us=at_us)
        # Crash here: the old state or the new one; with q + 1 and the counter not stepped, start-up finds a crash.
        self._files.save(STATE, canonical(state))
        self.state = state

    def step(self) -> None:
        """Step the counter after the state with q + 1 is durable."""
        # Crash here: state and counter are equal, the permit was not given: the quantum is lost, no work ran in it.
        self.counter.step()

    def catch_up(self) -> None:
        """Step the counter until it stands at the state's quantum: after a rollback, or a step of unknown outcome."""
        while self.counter.read() < self.state.quantum:
            self.counter.step()

    def deliver(self, sequence: int) -> None:
        """A receipt has reached the issuer: it is not sent again.

        What is remembered ends before the first that still waits: a restart must not forget one that was refused.
        """
        self.pending.pop(sequence, None)
        reached = min(self.pending) - 1 if self.pending else max(sequence, self.delivered)
        if reached > self.delivered:
            self.delivered = reached
            # Crash here: it is sent once more, which is harmless.
            self._files.save(DELIVERED, str(reached).encode())

    # --- the lease request that waits --------------------------------------------------------

    def save_request(self, raw: bytes) -> None:
        """Before it is sent, so that a restart asks the very same and gets the same lease."""
        self._files.save(REQUEST, raw)

    def load_request(self) -> bytes | None:
        return self._files.load(REQUEST) or None

    def clear_request(self) -> None:
        # Crash before this: the request is sent again, and its answer is found to be taken already.
        self._files.save(REQUEST, b"")

    # --- what was accepted from the regime ---------------------------------------------------

    def keep(self, followed: Followed) -> None:
        """Keep an accepted item, so that no control plane can make this host forget an order by a restart."""
        keep_followed(self._files, followed)

    def load_followed(self) -> Iterator[Followed]:
        """All that was kept, in its order; a line that cannot be read is passed over, since the feed has it too."""
        return load_followed(self._files)

    def _is_new(self, tail: ChainTail) -> bool:
        """Whether nothing was ever written here."""
        kept = (STATE, FOLLOWED, REQUEST, DELIVERED)
        return tail.sequence == 0 and all(self._files.load(name) is None for name in kept)

    # --- waking ------------------------------------------------------------------------------

    def _load(self) -> tuple[HostState, ChainTail, str]:
        """State and chain as they lie, a crash between the two mended; and what does not fit, in words."""
        state, tail, problem = HostState(), ChainTail(), ""
        try:
            raw = self._files.load(STATE)
            if raw is not None:
                state = parse_state(raw, path=STATE)
        except InvalidInput as error:
            problem = str(error)
        try:
            tail = read_chain(
                self._host, self._files.load_lines(RECEIPTS), delivered=self.delivered
            )
        except BrokenChain as error:
            return state, tail, str(error)
        if problem or (tail.sequence, tail.head) == (state.sequence, state.receipt):
            return state, tail, problem
        if tail.last is not None and (tail.sequence, tail.previous) == (
            state.sequence + 1,
            state.receipt,
        ):
            given = parse_receipt(tail.last)
            return _adopt(state, given.link.receipt).receipted(given.link.digest), tail, ""
        return (
            state,
            tail,
            f"the state stands at receipt {state.sequence}, the file at {tail.sequence}",
        )

    def _highest(self, state: HostState, tail: ChainTail) -> HostState:
        """After a rollback: every number at the highest that anything here remembers, and no lease."""
        longer = tail.sequence >= state.sequence
        return HostState(
            quantum=max(state.quantum, self.counter.read(), _last_quantum(tail)),
            lease_number=max(state.lease_number, tail.lease_number),
            sequence=tail.sequence if longer else state.sequence,
            receipt=tail.head if longer else state.receipt,
        )

    def _load_delivered(self) -> int:
        text = (self._files.load(DELIVERED) or b"0").decode("ascii", "replace")
        return int(text) if text.isdigit() and len(text) < 17 else 0


def _last_quantum(tail: ChainTail) -> int:
    return parse_receipt(tail.last).link.receipt.quantum if tail.last is not None else 0


def _adopt(state: HostState, receipt: ReceiptGiven) -> HostState:
    """What the state would have said, had the crash come one write later."""
    spend, lease = receipt.spend, state.lease
    if receipt.stage == "final" and spend is not None:
        numbered = msgspec.structs.replace(
            state, lease_number=max(state.lease_number, spend.lease_number)
        )
        if any(spend.lease == one.lease for one in state.closing):
            return numbered.closed(spend.lease.leaf)
        if lease is not None and spend.lease == lease.lease:
            return numbered.switch()
        return numbered  # of a lease that was taken only to be given back
    if receipt.quantum == state.quantum + 1:
        if lease is not None and spend is not None and spend.lease == lease.lease:
            lease = msgspec.structs.replace(lease, reserved=spend.reserved_flop)
        return msgspec.structs.replace(state, quantum=receipt.quantum, lease=lease)
    return state
