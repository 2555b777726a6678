"""A host's fixed set: its devices held against enrolment and licence, those at work without a lease, what leaves it.

It only keeps what was seen and says what is wrong; what is done about it is a row of the table (agent.decide).
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from sekisho.agent.decide import SetFacts, Work
from sekisho.agent.events import DevicesCounted, LinksRead
from sekisho.agent.host import Host
from sekisho.following import Finding
from sekisho.licensing.device_busy import BusyBook
from sekisho.licensing.device_set import SetVerdict, check_set
from sekisho.licensing.egress import judge_egress
from sekisho.model.errors import Unavailable
from sekisho.model.statements import HostEnrolled, LicenceIssued
from sekisho.ports.device_census import SeenDevice

__all__ = ["EGRESS_WINDOW_S", "STALE_S", "FixedSet"]

STALE_S: Final = 15.0
"""A driver that has not answered for so long is unreadable: seven looks of two seconds."""
LOOKS_TO_ACT: Final = 2
"""Running work is stopped for a wrong set when two looks in a row show one; new work is refused at the first."""
EGRESS_WINDOW_S: Final = 10.0
MOST_NAMED: Final = 16
UNREAD: Final = ("device-lost", "devices-unreadable")
"""Faults that are answered as an unreadable meter."""


class FixedSet:
    """What one host's looks at its devices and interfaces have shown so far."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._settings = host.settings.devices
        self._since_s = host.clock.elapsed_s()
        self._heard_s: float | None = None
        self._blind_since_s: float | None = None
        self._counted: DevicesCounted | None = None
        self._judged: tuple[HostEnrolled | None, LicenceIssued | None] | None = None
        self._verdict = SetVerdict(verdict="holds")
        self._wrong_looks = 0
        self._was_read = False  # once whole, by this agent
        self._activity, self._unleased = BusyBook(), BusyBook()
        self._window: LinksRead | None = None
        self._findings: list[Finding] = []

    # --- hearing -----------------------------------------------------------------------------

    def hear(self, event: DevicesCounted | LinksRead, work: Work) -> None:
        """Take in a look; `work` is what ours does meanwhile: what is busy under it is licensed."""
        if isinstance(event, LinksRead):
            self._hear_links(event)
            return
        self._counted, self._heard_s = event, event.at_s
        self._judged = None
        self._judge()
        self._wrong_looks = self._wrong_looks + 1 if self._verdict.verdict == "fails" else 0
        unread = self._is_unread(event)
        if not unread:
            self._blind_since_s, self._was_read = None, True
        elif self._blind_since_s is None:
            self._blind_since_s = event.at_s
        if event.seen is not None:
            self._activity = self._activity.after(event.seen)
            # Readings under a running quantum say nothing about what runs without one.
            self._unleased = BusyBook() if work == "running" else self._unleased.after(event.seen)

    def _judge(self) -> None:
        """Hold the newest look against enrolment and licence, again when one of these has changed."""
        enrolment, licence = self._host.follower.enrolment(), self._licence()
        if self._settings is None or self._counted is None or self._judged == (enrolment, licence):
            return
        self._judged = (enrolment, licence)
        if enrolment is None:
            self._verdict = SetVerdict(verdict="holds")
            return
        counted, expected = self._counted, self._settings.expected(enrolment)
        self._verdict = check_set(
            expected, licence, self._host.settings.host, counted.seen, counted.why
        )

    def _licence(self) -> LicenceIssued | None:
        state = self._host.licence()
        return None if state is None else state.licence

    # --- telling -----------------------------------------------------------------------------

    def facts(self, work: Work) -> SetFacts:
        """For the decision. Nothing is told where nobody counts."""
        if self._settings is None or self._settings.census == "none":
            return SetFacts()
        self._judge()
        busy = self._busy(work)
        return SetFacts(
            is_counted=self._was_read,
            faults=tuple(f.why for f in self._verdict.faults if f.code not in UNREAD),
            is_certain=self._verdict.verdict == "fails" and self._wrong_looks >= LOOKS_TO_ACT,
            busy=tuple(self._tell_busy(one) for one in busy),
            is_ours=work != "none" and any(self._is_ours(one) for one in busy),
        )

    def blind_s(self, now: float) -> float | None:
        """For how long devices could not be read: they said so, or nobody has answered."""
        if self._settings is None or self._settings.census == "none":
            return None
        heard = self._since_s if self._heard_s is None else self._heard_s
        silent = now - heard if now - heard >= STALE_S else None
        told = None if self._blind_since_s is None else now - self._blind_since_s
        return max((s for s in (silent, told) if s is not None), default=None)

    def _is_unread(self, event: DevicesCounted) -> bool:
        """Whether the driver did not answer for all that is or may be of the set."""
        if event.seen is None or self._settings is None:
            return True
        exempt = {one.device for one in self._settings.exempt}
        return any(d.lost and d.device not in exempt for d in event.seen)

    def _busy(self, work: Work) -> list[SeenDevice]:
        """Enrolled or foreign devices at work while no quantum of ours runs; exempt ones are told of apart."""
        if work == "running" or self._counted is None or self._settings is None:
            return []
        exempt = {one.device for one in self._settings.exempt}
        names = set(self._unleased.busy()) - exempt
        return [d for d in self._counted.seen or () if d.device in names]

    def _is_ours(self, device: SeenDevice) -> bool:
        """Whether a process of our work's tree computes on it; where processes cannot be read, it may."""
        if device.processes is None:
            return True
        try:
            held = self._host.driver.held()
        except Unavailable:
            return True
        root = held[0].root_pid if held is not None else 0
        return any(root in (p.pid, *p.ancestors) for p in device.processes)

    def _tell_busy(self, device: SeenDevice) -> str:
        if device.processes is None:
            by = "by processes that cannot be read"
        elif not device.processes:
            by = "by no process that its driver shows"
        else:
            pids = ", ".join(str(p.pid) for p in device.processes[:MOST_NAMED])
            ours = "of our work" if self._is_ours(device) else "not ours to stop"
            by = f"by process {pids}, {ours}"
        return f"{device.device} is at work {by}"

    # --- findings ----------------------------------------------------------------------------

    def findings(self) -> list[Finding]:
        """What stands now, by name; the host says each matter once in ten minutes."""
        found, self._findings = self._findings, []
        faults: dict[str, list[str]] = {}
        for fault in self._verdict.faults:
            faults.setdefault(fault.code, []).append(fault.why)
        found += [
            Finding(code=code, detail="; ".join(whys[:MOST_NAMED])) for code, whys in faults.items()
        ]
        stuck = self._activity.stuck()
        if stuck:
            detail = f"{', '.join(stuck[:MOST_NAMED])}: power is high while activity shows nothing"
            found.append(Finding(code="counters-stuck", detail=detail))
        return [*found, *self._exempt_findings(), *self._uncounted_findings()]

    def _exempt_findings(self) -> list[Finding]:
        if self._settings is None:
            return []
        busy = self._activity.busy()
        said = [f"{e.device}: {e.reason}" for e in self._settings.exempt if e.device in busy]
        detail = "; ".join(said[:MOST_NAMED])
        return [Finding(code="exempt-device-busy", detail=detail)] if said else []

    def _uncounted_findings(self) -> list[Finding]:
        """A set and a limit that nobody can check are said, too."""
        found: list[Finding] = []
        enrolment, licence = self._host.follower.enrolment(), self._licence()
        is_here = self._host.settings.driver in ("process", "cgroup")
        counts = self._settings is not None and self._settings.census != "none"
        if is_here and not counts and enrolment is not None:
            real = [d.device for d in enrolment.devices if d.basis == "table" and not d.emulated]
            detail = f"nobody counts {', '.join(real[:MOST_NAMED])}: add devices to agent.json"
            found += [Finding(code="devices-not-counted", detail=detail)] if real else []
        limit = None if licence is None else licence.egress_bytes_per_s
        if limit is not None and (self._settings is None or self._settings.links is None):
            detail = "the licence limits what leaves the set, and agent.json names no devices.links"
            found.append(Finding(code="egress-not-measured", detail=detail))
        return found

    # --- links -------------------------------------------------------------------------------

    def _hear_links(self, event: LinksRead) -> None:
        """Judge each window of ten seconds; a window that could not be read is not measured."""
        licence, before = self._licence(), self._window
        links = self._settings.links if self._settings is not None else None
        limit = None if licence is None else licence.egress_bytes_per_s
        if links is None or limit is None:
            self._window = None
            return
        if event.counts is None:
            self._window = None
            self._findings.append(Finding(code="egress-not-measured", detail=event.why))
            return
        if before is None or before.counts is None:
            self._window = event
            return
        if event.at_s - before.at_s < EGRESS_WINDOW_S:
            return
        self._window = event
        window_s = Fraction(event.at_s - before.at_s)
        judged = judge_egress(limit, links, before.counts, event.counts, window_s)
        source = f" (read from {', '.join(judged.sources)})" if judged.sources else ""
        codes = {"fails": "egress-over-limit", "unverifiable": "egress-not-measured"}
        if judged.verdict != "holds":
            code = codes[judged.verdict]
            self._findings.append(Finding(code=code, detail=judged.why + source))
        if judged.unnamed:
            detail = f"{', '.join(judged.unnamed[:MOST_NAMED])} sent and is named neither inside nor outside: counted"
            self._findings.append(Finding(code="egress-unnamed-interface", detail=detail))
