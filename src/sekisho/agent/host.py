"""What every part of an agent stands on: who this host is, its memory, clocks, driver and way out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import msgspec

from sekisho.agent.follow import Finding, Follower
from sekisho.agent.memory import Memory
from sekisho.agent.post import Outbox
from sekisho.agent.receipts import GivenReceipt, Notes, give_receipt
from sekisho.agent.work import WorkFolder
from sekisho.licensing import HostState
from sekisho.licensing.ledger import LicenceState
from sekisho.model.amounts import parse_flop
from sekisho.model.instants import Instant
from sekisho.model.statements import FindingRaised, Predicate, make_payload
from sekisho.model.statements.shapes import Name
from sekisho.ports.clock import Clock
from sekisho.ports.driver import GuardedDriver
from sekisho.signing import Signer, sign_payload

__all__ = ["AgentSettings", "Host"]

FINDING_EVERY_S = 600.0
FINDINGS_PER_MINUTE = 20


class AgentSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`agent.json`: which host this is, where its control plane is, and what it runs.

    `command` is started with exactly `environment`; when a checkpoint lies in `out`, `resume` and its path are added.
    `cores` share the host's declared peak: CPU seconds x peak / cores bound what was computed.
    """

    host: Name
    control: str
    run: Name
    command: tuple[str, ...] = ()
    environment: dict[str, str] = {}
    out: str = "out"
    resume: tuple[str, ...] = ("--resume",)
    cores: Annotated[int, msgspec.Meta(ge=1, le=65_536)] | None = None
    user: Annotated[int, msgspec.Meta(ge=0, le=2**32 - 2)] | None = None


class Host:
    """The parts of one agent, and the few acts that all its duties share."""

    def __init__(  # noqa: PLR0913  # the one place where an agent's parts come together
        self,
        settings: AgentSettings,
        *,
        signer: Signer,
        clock: Clock,
        memory: Memory,
        follower: Follower,
        driver: GuardedDriver,
        outbox: Outbox,
        folder: WorkFolder,
        nonce: Callable[[], str],
        cores: int,
    ) -> None:
        self.settings = settings
        self.signer = signer
        self.clock = clock
        self.memory = memory
        self.follower = follower
        self.driver = driver
        self.outbox = outbox
        self.folder = folder
        self.nonce = nonce
        self.cores = settings.cores or cores
        self._raised: dict[tuple[str, str | None], float] = {}

    def latest(self) -> Instant:
        """The latest that it can be; the follower's clocks are brought to this moment besides."""
        self.follower.elapsed_s = self.clock.elapsed_s()
        return self.follower.clocks.latest(self.follower.elapsed_s, self.clock.now())

    def licence(self) -> LicenceState | None:
        """The licence of the lease in hand, else the newest of this host's run."""
        lease = self.memory.state.lease
        if lease is not None and lease.licence.leaf in self.follower.ledger.licences:
            return self.follower.ledger.licences[lease.licence.leaf]
        return self.follower.licence_for(self.settings.run)

    def peak_flop_per_s(self) -> int:
        enrolment = self.follower.enrolment()
        return sum(parse_flop(d.peak_flop_per_s) for d in enrolment.devices) if enrolment else 0

    def give(self, notes: Notes, state: HostState, after: HostState | None = None) -> GivenReceipt:
        """Make the next receipt over `state` and make it durable with the state `after` it. Not sent yet."""
        given = give_receipt(
            notes,
            state,
            host=self.settings.host,
            run=self.settings.run,
            tier=self.memory.counter.tier,
            heads=self.follower.book.heads.values(),
            now=self.clock.now(),
            signer=self.signer,
        )
        self.memory.record(given, after or state)
        return given

    def state(self, predicate: Predicate) -> None:
        """Sign a statement and hand it to the way out."""
        self.outbox.send_statement(sign_payload(make_payload(predicate), (self.signer,)).raw)

    def raise_finding(self, finding: Finding) -> None:
        """State that something is wrong: the same matter once in ten minutes, twenty matters a minute at most."""
        now = self.clock.elapsed_s()
        self._raised = {k: at for k, at in self._raised.items() if now - at < FINDING_EVERY_S}
        key = (finding.code, finding.about)
        recent = sum(now - at < 60.0 for at in self._raised.values())
        if key in self._raised or recent >= FINDINGS_PER_MINUTE:
            return
        self._raised[key] = now
        self.state(
            FindingRaised(
                effective=self.clock.now(),
                finding=finding.code,
                host=self.settings.host,
                detail=finding.detail[:4000],
                about=finding.about,
            )
        )
