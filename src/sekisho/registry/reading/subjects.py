"""What is compared: for each item the firm's lines, nodes' reports and the register's standings side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from sekisho.model.custody import Component, Standing
from sekisho.model.instants import Instant, Period
from sekisho.registry.reading.declared import DeclaredItem, serial_key
from sekisho.registry.reading.fleet_agent import ObservedDevice

__all__ = ["MOVE_S", "AtSite", "Sighting", "Subject", "gather_subjects"]

# What an agent on a host can see: boards and packages by their own number, servers by their chassis.
SEEN_BY_AGENTS: Final[frozenset[Component]] = frozenset({"package", "board", "server"})
MOVE_S: Final = 900
"""Nobody moves a device to another server in less: two reports nearer than this are two devices."""


class Sighting(msgspec.Struct, frozen=True, kw_only=True):
    """That a serial and a UUID were reported together: where last, and from when to when."""

    serial: str
    uuid: str
    node: str
    site: str
    first: Instant
    last: Instant


class AtSite(msgspec.Struct, frozen=True, kw_only=True):
    """All that a reconciliation of one site reads.

    `observed` are the devices of every node's newest message, of other sites too; only those whose `last` lies in
    `window` count as seen. `standings` are the site's own and, of other sites, those that a serial here names.
    `parties` are the names that the register knows. `has_register` says that the firm's lines are meant to be all.
    """

    site: str
    window: Period
    declared: Sequence[DeclaredItem] = ()
    observed: Sequence[ObservedDevice] = ()
    sightings: Sequence[Sighting] = ()
    standings: Sequence[Standing] = ()
    parties: frozenset[str] = frozenset()
    has_register: bool = False


class Subject(msgspec.Struct, kw_only=True):
    """One item under one key, with everything that is said of it.

    `seen` are fresh reports of it; where it moved, those of the newest place only, and `twins` those of several nodes
    at once. `through` are reports of the chassis that bears its serial, or of the board that it is a part of;
    `relabelled` reports of its declared UUID under another serial; `holding` a fresh report of the server that should
    hold it, or of the node that had it.
    """

    key: str
    declared: list[DeclaredItem] = msgspec.field(default_factory=list)
    seen: list[ObservedDevice] = msgspec.field(default_factory=list)
    twins: list[ObservedDevice] = msgspec.field(default_factory=list)
    through: list[ObservedDevice] = msgspec.field(default_factory=list)
    relabelled: list[ObservedDevice] = msgspec.field(default_factory=list)
    holding: ObservedDevice | None = None
    sightings: list[Sighting] = msgspec.field(default_factory=list)
    standings: list[Standing] = msgspec.field(default_factory=list)
    standing: Standing | None = None

    def seen_at(self, site: str) -> list[ObservedDevice]:
        """Fresh reports from one site, its chassis' included."""
        return [device for device in (*self.seen, *self.through) if device.site == site]

    @property
    def name(self) -> str:
        """What a person calls it."""
        written = [item.serial or item.device_uuid or item.epc for item in self.declared]
        written += [standing.identity.serial for standing in self.standings]
        return next(iter(written), self.key)


def gather_subjects(at: AtSite) -> Iterator[Subject]:
    """Every item that somebody declares, reports or has registered at the site, in the order of their keys."""
    subjects = _Subjects(at)
    for item in at.declared:
        if item.key and item.site in ("", at.site):
            subjects.of(subjects.key_of(item)).declared.append(item)
    for device in subjects.fresh:
        if device.site == at.site:
            subjects.of(device.key)
    for standing in at.standings:
        if standing.site == at.site and standing.identity.component in SEEN_BY_AGENTS:
            subjects.of(_key(standing))
    subjects.fill()
    yield from subjects.in_order()


def _key(standing: Standing) -> str:
    return serial_key(standing.identity.serial) or standing.epc


def _choose_standing(subject: Subject) -> Standing | None:
    """How the register has it; of several makers' the one whose model a line or report names, else the first."""
    if len(subject.standings) < 2:
        return next(iter(subject.standings), None)
    named = {item.model for item in subject.declared} | {device.model for device in subject.seen}
    fits = [standing for standing in subject.standings if standing.identity.model in named]
    return next(iter(fits or subject.standings))


def _find_twins(seen: Sequence[ObservedDevice]) -> list[ObservedDevice]:
    """Reports of one item by several nodes, nearer in time than anybody moves a device; empty where it moved."""
    in_order = sorted(seen, key=lambda device: (device.first, device.node))
    last = in_order[0]
    for device in in_order[1:]:
        # Reports of one node follow each other; of two nodes the one that lasts longest is compared with the next.
        if device.node != last.node and device.first.since(last.last) < MOVE_S:
            near = [d for d in in_order if d.node != last.node and _is_near(d, last)]
            return [last, *near]
        last = max(last, device, key=lambda each: each.last)
    return []


def _is_near(one: ObservedDevice, other: ObservedDevice) -> bool:
    return one.first.since(other.last) < MOVE_S and other.first.since(one.last) < MOVE_S


class _Subjects:
    """The items by their keys, and everything else by what leads from it to an item."""

    def __init__(self, at: AtSite) -> None:
        self._at = at
        self._by_key: dict[str, Subject] = {}
        self.fresh = [device for device in at.observed if device.last >= at.window.start]
        self._by_uuid = {device.uuid: device.key for device in self.fresh}
        self._by_epc = {standing.epc: standing for standing in at.standings}
        own = [device for device in self.fresh if device.site == at.site]
        self._by_node = {device.node: device for device in own}
        self._by_chassis = {serial_key(device.chassis): device for device in own if device.chassis}

    def key_of(self, item: DeclaredItem) -> str:
        """A line that gives no serial is about what reports its UUID, or what the register has under its EPC."""
        if item.serial:
            return item.key
        standing = self._by_epc.get(item.epc)
        known = self._by_uuid.get(item.device_uuid)
        return known or (_key(standing) if standing is not None else item.key)

    def of(self, key: str) -> Subject:
        found = self._by_key.get(key)
        if found is None:
            found = self._by_key[key] = Subject(key=key)
        return found

    def in_order(self) -> Iterator[Subject]:
        for key in sorted(self._by_key):
            yield self._by_key[key]

    def fill(self) -> None:
        """Put reports, earlier reports and standings beside the items that are known by now."""
        self._place_reports()
        for sighting in self._at.sightings:
            now_under = self._by_uuid.get(sighting.uuid, "")
            names = {serial_key(sighting.serial), sighting.uuid, now_under}
            for key in names & self._by_key.keys():
                self._by_key[key].sightings.append(sighting)
        for standing in self._at.standings:
            found = self._by_key.get(_key(standing))
            if found is not None:
                found.standings.append(standing)
        for subject in self._by_key.values():
            subject.standing = _choose_standing(subject)
        for subject in self._by_key.values():
            self._settle(subject)

    def _place_reports(self) -> None:
        declared = {
            item.device_uuid: subject
            for subject in self._by_key.values()
            for item in subject.declared
            if item.serial and item.device_uuid
        }
        for device in self.fresh:
            if device.key in self._by_key:
                self._by_key[device.key].seen.append(device)
            chassis = serial_key(device.chassis)
            if chassis and chassis != device.key and chassis in self._by_key:
                self._by_key[chassis].through.append(device)
            named = declared.get(device.uuid)
            if named is not None and device.serial and named.key != device.key:
                named.relabelled.append(device)

    def _settle(self, subject: Subject) -> None:
        """Which of several reports count, and who should have reported what nobody did."""
        if len({device.node for device in subject.seen}) > 1:
            subject.twins = _find_twins(subject.seen)
            newest = max(subject.seen, key=lambda device: (device.last, device.node))
            if not subject.twins:
                subject.seen = [device for device in subject.seen if device.node == newest.node]
        parent = self._by_epc.get(subject.standing.parent) if subject.standing is not None else None
        if parent is not None and parent.identity.component == "board":
            # A package cannot leave its board unseen; a board can leave its server.
            board = self._by_key.get(_key(parent))
            subject.through += board.seen if board is not None else []
        subject.holding = self._find_holding(subject, parent)

    def _find_holding(self, subject: Subject, parent: Standing | None) -> ObservedDevice | None:
        containers = [serial_key(item.container) for item in subject.declared]
        containers += [serial_key(parent.identity.serial)] if parent is not None else []
        held = [self._by_chassis.get(key) for key in containers if key]
        own = [s for s in subject.sightings if subject.key in (serial_key(s.serial), s.uuid)]
        held += [self._by_node.get(sighting.node) for sighting in own]
        return next((device for device in held if device is not None), None)
