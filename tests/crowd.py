"""A crowd of agents at one control plane: each with its own key, its own connection and its own verified regime.

Each simulated agent is what an agent is towards its control plane, and nothing of what it is towards its host: it
keeps a long poll open, puts every item of every answer through the agent's own `Follower` (quorum on sight; inclusion
and cosignatures with the proof), signs its receipt as the next link of its own chain, and hands it in on the same
connection. Thousands share one event loop; no result of one agent's verification is used for another's.

In the field each agent has a processor of its own. Here they share one, so what an agent does with the order it has
answered already (its proof, its cosignatures) is put off until the last of its loop has signed its receipt: else the
early ones' later work would count as the late ones' delay. Requests are put off by nobody: the control plane has all
the polls and receipts that it would have.

`python -m tests.crowd` is one such loop as a process: it says `ready` when all hold their polls, and at the end when
each receipt was signed and acknowledged.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import copy
import gc
import json
import resource
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from sekisho.adapters.clocks import SystemClock
from sekisho.adapters.storage import FileTileStore
from sekisho.adapters.transport.control_client import ControlClient, parse_feed
from sekisho.agent.receipts import Notes, give_receipt
from sekisho.following import Follower
from sekisho.ledger import LogReader
from sekisho.licensing import HostState
from sekisho.model.instants import Instant
from sekisho.model.statements import (
    HostEnrolled,
    OrderIssued,
    OrderReference,
    parse_payload_leniently,
)
from sekisho.operations.desk import Desk, Draft
from sekisho.operations.unique_keys import unique_keys
from sekisho.ports.control import Feed, FeedItem
from sekisho.ports.log_store import Submission
from sekisho.signing import Signer, TrustRoot, parse_envelope, parse_policy
from tests import factory as f

__all__ = [
    "Crowd",
    "CrowdAgent",
    "Outcome",
    "crowd_host",
    "enrol_crowd",
    "most_files",
    "raise_files",
]

POLL_S: Final = 60
GROUP: Final = 500
AT_ONCE: Final = 200
"""So many connections are opened at once: more only overflow the server's line of those that knock."""


def crowd_host(number: int) -> str:
    return f"crowd-{number:05d}"


def raise_files() -> int:
    """Raise this process's limit of open files as far as it may; the limit then."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def most_files() -> int:
    """How many files a process may have open here at most."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1]


def enrol_crowd(
    desk: Desk, hosts: Sequence[str], signers: Sequence[Signer], now: Instant, organisation: str
) -> None:
    """Enrol many hosts, a few hundred in one append; each is verified and folded as any other statement is."""
    for start in range(0, len(hosts), GROUP):
        with desk.lock:
            desk.settle()
            state, drafts = desk.state, []
            for host in hosts[start : start + GROUP]:
                fact = msgspec.structs.replace(
                    f.host_enrolled(host, of=f.signer(host), now=now), organisation=organisation
                )
                raw = f.signed(fact, *signers).raw
                recorded = state.verify(raw)
                state = state.after(recorded, {})
                digest = bytes.fromhex(recorded.verified.digest)
                submission = Submission(
                    envelope=raw, payload_sha256=digest, unique=unique_keys(recorded)
                )
                drafts.append(Draft(recorded=recorded, submission=submission))
            desk.take_drafts(drafts, state)


class Outcome(msgspec.Struct, kw_only=True):
    """What became of one agent's receipt; instants of the monotonic clock, 0 where it did not come so far."""

    host: str
    receipt: str = ""
    order_seen: float = 0.0
    signed: float = 0.0
    acknowledged: float = 0.0
    proven: float = 0.0
    polls: int = 0
    findings: list[str] = []


class Later:
    """What waits until all agents of a loop have signed."""

    def __init__(self, agents: int) -> None:
        self._unsigned = agents
        self._waiting: deque[Callable[[], None]] = deque()
        self.signed_cpu_s = 0.0

    @property
    def is_on(self) -> bool:
        return self._unsigned > 0

    def put_off(self, work: Callable[[], None]) -> None:
        self._waiting.append(work)

    def note_signed(self) -> None:
        """Once for each agent; with the last of them what waits is begun, piece by piece."""
        self._unsigned -= 1
        if self._unsigned == 0:
            self.signed_cpu_s = time.process_time()
            asyncio.get_running_loop().call_soon(self._do_next)

    def _do_next(self) -> None:
        if self._waiting:
            self._waiting.popleft()()
            asyncio.get_running_loop().call_soon(self._do_next)


class CrowdAgent(asyncio.Protocol):
    """One simulated agent on one connection, kept open: polls, verifies, signs, hands in, polls again."""

    def __init__(
        self,
        host: str,
        follower: Follower,
        after: int,
        changed: Callable[[], None],
        later: Later,
    ) -> None:
        self.outcome = Outcome(host=host)
        self._host = host
        self._key = f.signer(host)
        self._follower = follower
        self._state = HostState()
        self._after = after
        self._changed = changed
        self._later = later
        self._transport: asyncio.Transport | None = None
        self._parts: list[bytes] = []
        self._missing = -1
        self._posting: bytes | None = None
        self._due: list[OrderReference] = []
        self._status = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self._transport = transport
            self._poll(POLL_S)

    def data_received(self, data: bytes) -> None:
        """Answers come one at a time: the head says how long the body is."""
        self._parts.append(data)
        if self._missing < 0:
            whole = b"".join(self._parts)
            head, end, rest = whole.partition(b"\r\n\r\n")
            if not end:
                self._parts = [whole]
                return
            self._status = int(head[9:12])
            self._missing = _length_of(head) - len(rest)
            self._parts = [rest]
        else:
            self._missing -= len(data)
        if self._missing == 0:
            body, self._parts, self._missing = b"".join(self._parts), [], -1
            self._answered(body)

    def connection_lost(self, _: Exception | None) -> None:
        if not self.outcome.acknowledged:
            self.outcome.findings.append("the connection was lost")
        self._changed()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _answered(self, body: bytes) -> None:
        if self._posting is not None:
            if self._took_receipt(body):
                return
        elif self._status != 200:
            self.outcome.findings.append(f"the feed answered {self._status}: {body[:200]!r}")
        elif self.outcome.signed and self._later.is_on:
            self._later.put_off(lambda: self._take_page(body))
            return
        else:
            self._take_page(body)
            return
        self._go_on()

    def _take_page(self, body: bytes) -> None:
        self._take(parse_feed(body, path="feed"))
        self._go_on()

    def _go_on(self) -> None:
        if self._due:
            self._hand_in(self._due.pop(0))
        else:
            self._poll(POLL_S)

    def _take(self, feed: Feed) -> None:
        """The agent's own verification of everything in an answer."""
        accepted, findings = self._follower.take(feed, time.monotonic())
        self.outcome.findings += [f"{found.code}: {found.detail}" for found in findings]
        self._after = feed.next
        for kept in accepted:
            if kept.kind != "order-issued":
                continue
            now = time.monotonic()
            if kept.proof is not None:
                self.outcome.proven = self.outcome.proven or now
            envelope = parse_envelope(kept.envelope)
            order = parse_payload_leniently(envelope.payload)[0].predicate
            if isinstance(order, OrderIssued) and not self.outcome.order_seen:
                self.outcome.order_seen = now
                self._due.append(
                    OrderReference(
                        register=order.register, number=order.number, digest=envelope.digest
                    )
                )
        self._changed()

    def _hand_in(self, order: OrderReference) -> None:
        given = give_receipt(
            Notes(stage="halted", order=order, means="none", leaves="no work was running"),
            self._state,
            host=self._host,
            run="none",
            tier="C0",
            heads=self._follower.book.heads.values(),
            now=SystemClock().now(),
            signer=self._key,
        )
        self._state = msgspec.structs.replace(
            self._state, sequence=given.sequence, receipt=given.link.digest
        )
        self.outcome.receipt, self.outcome.signed = given.link.digest, time.monotonic()
        self._later.note_signed()
        self._send_receipt(given.raw)

    def _send_receipt(self, raw: bytes) -> None:
        self._posting = raw
        self._send(
            b"POST /api/v1/receipts HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
            b"content-length: %d\r\n\r\n%b" % (len(raw), raw)
        )

    def _took_receipt(self, body: bytes) -> bool:
        """Whether the receipt is to be sent once more, after a rest."""
        raw, self._posting = self._posting, None
        if self._status == 200:
            self.outcome.acknowledged = time.monotonic()
        elif self._status in (429, 503) and raw is not None:
            self.outcome.findings.append(f"the receipt was put off: {body[:200]!r}")
            asyncio.get_running_loop().call_later(1.0, self._send_receipt, raw)
            return True
        else:
            self.outcome.findings.append(f"the receipt was refused: {body[:300]!r}")
        self._changed()
        return False

    def _poll(self, wait_s: int) -> None:
        self.outcome.polls += 1
        self._send(
            b"GET /api/v1/hosts/%b/feed?after=%d&wait_s=%d HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"
            % (self._host.encode(), self._after, wait_s)
        )
        self._changed()

    def _send(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)


def _length_of(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line[15:])
    raise ValueError("an answer without its length")


def _follower_of(seed: Follower, root: TrustRoot, host: str, own: FeedItem) -> Follower:
    """An agent's own follower: what the seed knows of everybody, and its own enrolment, verified by itself."""
    follower = Follower(host, root)
    for name, value in vars(seed).items():
        if name not in ("host", "_fold", "_seen", "_tried"):
            setattr(
                follower, name, copy.copy(value) if isinstance(value, dict | set | list) else value
            )
    _, finding = follower.take_item(own)
    if finding is not None:
        raise RuntimeError(f"{host}: {finding.code}: {finding.detail}")
    return follower


class Crowd:
    """So many agents in this process's loop. `public` is the log's folder, for their enrolments with proofs."""

    def __init__(self, url: str, root: TrustRoot, public: Path, hosts: Sequence[str]) -> None:
        self._url, self._root = url, root
        self._hosts = hosts
        self._public = public
        self._woken = asyncio.Event()
        self.later = Later(len(hosts))
        self.agents: list[CrowdAgent] = []

    async def connect(self) -> None:
        """Every agent connected, its first poll under way."""
        feed = await asyncio.to_thread(ControlClient(self._url).fetch_feed, "nobody", 0, 0)
        seed = Follower("nobody", self._root)
        seed.take(feed, time.monotonic())
        own = _enrolments(self._public, seed, set(self._hosts))
        host, _, port = self._url.removeprefix("http://").partition(":")
        loop = asyncio.get_running_loop()
        for start in range(0, len(self._hosts), AT_ONCE):
            names = self._hosts[start : start + AT_ONCE]
            made = [
                CrowdAgent(
                    name,
                    _follower_of(seed, self._root, name, own.pop(name)),
                    feed.next,
                    self._woken.set,
                    self.later,
                )
                for name in names
            ]
            self.agents += made
            await asyncio.gather(
                *(loop.create_connection(lambda a=a: a, host, int(port)) for a in made)  # type: ignore[misc]
            )

    async def until(self, reached: Callable[[CrowdAgent], bool], within_s: float) -> bool:
        """Whether all agents came so far within the time."""
        ends = time.monotonic() + within_s
        while not all(reached(agent) for agent in self.agents):
            left = ends - time.monotonic()
            if left <= 0:
                return False
            self._woken.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), min(left, 0.5))
            await asyncio.sleep(0.05)
        return True

    def close(self) -> None:
        for agent in self.agents:
            agent.close()


def _enrolments(public: Path, seed: Follower, hosts: set[str]) -> dict[str, FeedItem]:
    """Each host's enrolment with its proof, from the log's public files."""
    reader = LogReader(FileTileStore(public))
    cosigned = reader.load_checkpoint(seed.policy)
    tree = cosigned.checkpoint
    found: dict[str, FeedItem] = {}
    for index, raw in enumerate(reader.entries(0, tree.size, tree)):
        fact = parse_payload_leniently(parse_envelope(raw).payload)[0].predicate
        if isinstance(fact, HostEnrolled) and fact.host in hosts:
            found[fact.host] = FeedItem(envelope=raw, proof=reader.prove(index, cosigned).to_text())
    return found


async def _run(told: argparse.Namespace) -> None:
    trust = told.trust.read_bytes()
    hosts = [crowd_host(n) for n in range(told.first, told.first + told.count)]
    crowd = Crowd(told.url, parse_policy(trust, path=str(told.trust)), told.public, hosts)
    await crowd.connect()
    # One agent has few objects; thousands in one process would all be walked through for one agent's garbage.
    gc.collect()
    gc.freeze()
    _say({"ready": True, "agents": len(crowd.agents)})
    before = time.process_time()
    is_done = await crowd.until(
        lambda agent: bool(agent.outcome.acknowledged and agent.outcome.proven), told.within_s
    )
    used = time.process_time() - before
    signing = crowd.later.signed_cpu_s - before
    crowd.close()
    outcomes = [agent.outcome for agent in crowd.agents]
    told.out.write_bytes(msgspec.json.encode(outcomes))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    _say({"done": is_done, "cpu_s": used, "signed_cpu_s": signing, "rss_mib": peak})


def _say(line: object) -> None:
    sys.stdout.write(f"{json.dumps(line)}\n")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--trust", type=Path, required=True)
    parser.add_argument("--public", type=Path, required=True)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--within-s", type=float, default=900.0)
    parser.add_argument("--out", type=Path, required=True)
    told = parser.parse_args()
    raise_files()
    gc.freeze()
    asyncio.run(_run(told))


if __name__ == "__main__":
    main()
