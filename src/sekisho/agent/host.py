"""What every part of an agent stands on: who this host is, its memory, clocks, driver and way out."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Literal

import msgspec

from sekisho.agent.device_settings import DeviceSettings
from sekisho.agent.gatekeeping import Gatekeeper, GateView
from sekisho.agent.joint_driver import Seat
from sekisho.agent.memory import Memory
from sekisho.agent.post import Outbox
from sekisho.agent.receipts import GivenReceipt, Notes, give_receipt
from sekisho.agent.work import WorkFolder
from sekisho.following import Finding, Follower
from sekisho.licensing import HostState
from sekisho.licensing.ledger import LicenceState
from sekisho.model.amounts import parse_flop
from sekisho.model.instants import Instant
from sekisho.model.statements import EnrolledDevice, FindingRaised, Predicate, make_payload
from sekisho.model.statements.shapes import Name
from sekisho.ports.clock import HostClock
from sekisho.ports.driver import GuardedDriver
from sekisho.ports.driver_settings import (
    CgroupSettings,
    DriverName,
    DriverSettings,
    KubernetesSettings,
    SlurmSettings,
)
from sekisho.ports.gate import Gate
from sekisho.signing import Signer, sign_payload

__all__ = ["AgentSettings", "CharterPlace", "Host", "WatchdogPlace"]

FINDING_EVERY_S = 600.0
FINDINGS_PER_MINUTE = 20
# How an enrolment names the host's own processor: what authority and operator signed, not the host's settings.
_OWN_CORES = re.compile(
    r"(?:host CPU|emulated accelerator)(?:, (?P<cores>[1-9][0-9]{0,4}) cores?)?"
)


class WatchdogPlace(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A privileged part that runs already: its socket, and the user that it must be answered by besides root."""

    socket: str
    user: Annotated[int, msgspec.Meta(ge=0, le=2**32 - 2)] = 0


class CharterPlace(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A further charter that the host stands under: its own home, from the first home on or absolute."""

    home: Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]


class AgentSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`agent.json`: which host this is, where its control plane is, and what it runs.

    `command` is started with exactly `environment`; when a checkpoint lies in `out`, `resume` and its path are added.
    `cores` bounds nothing any more, since the enrolment says what CPU seconds can compute. `driver` and the part
    of its name say what holds the work; with `watchdog` that is a process of another user, which has settings of its
    own and is not told these. Without it the agent starts a watchdog with its own rights. `counter` is a file, or an
    index of the TPM at `tcti` that `sekisho agent tpm paper` made; which tier that is, the host's enrolment says.
    With `devices` the accelerators that are really there are held against the licence's set. `control` is an address,
    or a list of them: primary, standby, mirror. `listen` (127.0.0.1:PORT) takes what a control plane pushes. `charters`
    are the homes of further charters that the host stands under (agent.charter_homes).
    """

    host: Name
    control: str | tuple[str, ...]
    run: Name
    command: tuple[str, ...] = ()
    environment: dict[str, str] = {}
    out: str = "out"
    resume: tuple[str, ...] = ("--resume",)
    cores: Annotated[int, msgspec.Meta(ge=1, le=65_536)] | None = None
    user: Annotated[int, msgspec.Meta(ge=0, le=2**32 - 2)] | None = None
    driver: DriverName = "process"
    cgroup: CgroupSettings | None = None
    slurm: SlurmSettings | None = None
    kubernetes: KubernetesSettings | None = None
    watchdog: WatchdogPlace | None = None
    devices: DeviceSettings | None = None
    counter: Literal["file", "tpm"] = "file"
    tcti: Annotated[str, msgspec.Meta(max_length=400)] = "device:/dev/tpmrm0"
    charters: Annotated[tuple[CharterPlace, ...], msgspec.Meta(max_length=7)] = ()
    listen: Annotated[str, msgspec.Meta(pattern=r"^127\.0\.0\.1:[0-9]{1,5}$")] | None = None

    @property
    def adopts(self) -> bool:
        """Whether others may start work, so that there is something to hold and to license without a command."""
        return self.driver != "process"

    @property
    def admits(self) -> bool:
        """Whether the run is opened for jobs that others submit: then there is something to start without a command."""
        return self.driver in ("slurm", "kubernetes")

    def driver_settings(self) -> DriverSettings:
        """What a watchdog of the agent's own is told."""
        return DriverSettings(
            driver=self.driver,
            user=self.user,
            cgroup=self.cgroup,
            slurm=self.slurm,
            kubernetes=self.kubernetes,
        )


class Host:
    """The parts of one agent, and the few acts that all its duties share."""

    def __init__(  # noqa: PLR0913  # the one place where an agent's parts come together
        self,
        settings: AgentSettings,
        *,
        signer: Signer,
        clock: HostClock,
        memory: Memory,
        follower: Follower,
        driver: GuardedDriver,
        outbox: Outbox,
        folder: WorkFolder,
        nonce: Callable[[], str],
        cores: int,
        gate: Gate | None = None,
        seat: Seat | None = None,
    ) -> None:
        """`seat` is this charter's place where the host stands under several; it is the driver then, too."""
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
        self.gatekeeper = Gatekeeper(gate) if gate is not None else None
        self.seat = seat
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

    def gate_view(self) -> GateView:
        """Whose gate it is, and when it is looked at."""
        return GateView(
            host=self.settings.host,
            run=self.settings.run,
            licence=self.licence(),
            latest=self.latest(),
        )

    def peak_flop_per_s(self) -> int:
        enrolment = self.follower.enrolment()
        return sum(parse_flop(d.peak_flop_per_s) for d in enrolment.devices) if enrolment else 0

    def fastest_flop_per_s(self) -> int:
        """The peak of the fastest single device."""
        enrolment = self.follower.enrolment()
        peaks = [parse_flop(d.peak_flop_per_s) for d in enrolment.devices] if enrolment else []
        return max(peaks, default=0)

    def own_flop_per_s(self) -> int:
        """The peak of the host's own processor, where it is enrolled as a device: no scheduler hands it out."""
        enrolment = self.follower.enrolment()
        devices = enrolment.devices if enrolment else ()
        return sum(parse_flop(d.peak_flop_per_s) for d in devices if _is_own(d))

    def core_flop_per_s(self) -> int | None:
        """The peak of one core, by the enrolment alone; None where a device is not the host's own processor.

        Only there do processor seconds bound the work. An emulated device has nothing else to compute with. Where
        the enrolment states no number of cores, one core is taken to have the whole peak.
        """
        enrolment = self.follower.enrolment()
        rates = [_core_flop_per_s(device) for device in enrolment.devices] if enrolment else []
        known = [rate for rate in rates if rate is not None]
        return max(known, default=None) if len(known) == len(rates) else None

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


def _core_flop_per_s(device: EnrolledDevice) -> int | None:
    """What one core of the host can compute of a device's peak; None where the device computes by itself."""
    named = _OWN_CORES.fullmatch(device.chip)
    if named is None or not (device.emulated or _is_own(device)):
        return None
    return -(-parse_flop(device.peak_flop_per_s) // int(named["cores"] or 1))


def _is_own(device: EnrolledDevice) -> bool:
    """Whether a device is the host's own processor, by its enrolment."""
    is_named = _OWN_CORES.fullmatch(device.chip) is not None
    return is_named and device.chip.startswith("host CPU") and device.basis == "declared"
