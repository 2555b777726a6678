"""Whether the devices that are really in a host are those that it enrolled and that its licence is bound to. Pure.

A licence fixes its set by count and root: the SHA-256 of the canonical, sorted list of all device ids of all its hosts.
A host knows its own devices; where a licence covers several hosts the whole list is told to it, unsigned, and proved by
the root. What a driver calls a device is its UUID: nothing here asks the silicon, so a dummy that says another's name,
model and memory size is not found out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec

from sekisho.model.chips import known_chips
from sekisho.model.statements import EnrolledDevice, LicenceIssued
from sekisho.model.wire import canonical, sha256_hex
from sekisho.ports.device_census import SeenDevice

__all__ = [
    "Expected",
    "SetFault",
    "SetVerdict",
    "SetWord",
    "check_licensed",
    "check_set",
    "root_of",
]

SetWord = Literal["holds", "fails", "unverifiable"]
FaultCode = Literal[
    "device-foreign",
    "device-missing",
    "device-swapped",
    "device-twice",
    "device-not-as-enrolled",
    "device-not-licensed",
    "device-set-changed",
    "device-lost",
    "devices-unreadable",
    "device-set-unproved",
]
_UNSURE: tuple[FaultCode, ...] = ("device-lost", "devices-unreadable", "device-set-unproved")
# Drivers keep some of a chip's memory to themselves, up to a tenth with ECC on; a smaller part has far less (O).
_LEAST_MEMORY_PERCENT = 80


class SetFault(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that does not fit: a stable code, the device ("" for the set as a whole), and in words."""

    code: FaultCode
    device: str
    why: str


class SetVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """*fails* where a fault contradicts the set, *unverifiable* where something could not be read, else *holds*."""

    verdict: SetWord
    faults: tuple[SetFault, ...] = ()

    @classmethod
    def of(cls, faults: tuple[SetFault, ...]) -> SetVerdict:
        """The worst of its faults."""
        if not faults:
            return cls(verdict="holds")
        unsure = all(fault.code in _UNSURE for fault in faults)
        return cls(verdict="unverifiable" if unsure else "fails", faults=faults)


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """What a host should hold: its enrolled devices, the driver's name for each that is called otherwise, and others.

    `exempt` are devices by the driver's name that belong to no set; `unseen` are enrolled ones that no driver shows
    (the host's own processor, an emulated device): they are not asked for, but never one whose peak is from the chip
    table. `licensed` are all ids of the licence, where it covers other hosts too.
    """

    enrolled: tuple[EnrolledDevice, ...]
    names: Mapping[str, str] = {}
    exempt: frozenset[str] = frozenset()
    unseen: frozenset[str] = frozenset()
    licensed: tuple[str, ...] = ()

    def called(self) -> dict[str, EnrolledDevice]:
        """Enrolled devices that a driver shows, by the name that it gives them."""
        shown = (d for d in self.enrolled if d.basis == "table" or d.device not in self.unseen)
        return {self.names.get(device.device, device.device): device for device in shown}


def root_of(devices: tuple[str, ...]) -> str:
    """The root by which a licence fixes a set of device ids, in any order."""
    return sha256_hex(canonical(sorted(devices)))


def check_set(
    expected: Expected,
    licence: LicenceIssued | None,
    host: str,
    seen: tuple[SeenDevice, ...] | None,
    why_unread: str = "",
) -> SetVerdict:
    """Enrolled, licensed and seen devices held against each other; `seen` None: they could not be read, and why."""
    faults = list(check_licensed(expected, licence, host))
    if seen is None:
        unread = why_unread or "the devices of this host could not be read"
        faults.append(SetFault(code="devices-unreadable", device="", why=unread))
    else:
        faults += _check_seen(expected, seen)
    return SetVerdict.of(tuple(faults))


def check_licensed(
    expected: Expected, licence: LicenceIssued | None, host: str
) -> Iterator[SetFault]:
    """Whether this host's enrolled devices are in the licence's set; nothing where there is no licence."""
    if licence is None:
        return
    own = tuple(device.device for device in expected.enrolled)
    whole = expected.licensed or own
    if licence.hosts != (host,) and not expected.licensed:
        yield SetFault(
            code="device-set-unproved",
            device="",
            why=f"licence {licence.number} covers {len(licence.hosts)} hosts: its root proves this host's devices only "
            "beside all the others; name them in agent.json: devices.licensed",
        )
        return
    if (len(whole), root_of(whole)) != (licence.devices, licence.devices_root):
        yield SetFault(
            code="device-set-changed",
            device="",
            why=f"licence {licence.number} is bound to {licence.devices} devices of root {licence.devices_root[:16]}, "
            f"here are {len(whole)} of root {root_of(whole)[:16]}",
        )
        return
    for device in sorted(set(own) - set(whole)):
        yield SetFault(
            code="device-not-licensed",
            device=device,
            why=f"{device} is enrolled here and not in the set of licence {licence.number}",
        )


def _check_seen(expected: Expected, seen: tuple[SeenDevice, ...]) -> Iterator[SetFault]:
    called = expected.called()
    counts = Counter(device.device for device in seen)
    yield from (
        SetFault(code="device-twice", device=name, why=f"{count} devices say that they are {name}")
        for name, count in sorted(counts.items())
        if count > 1
    )
    known = called.keys() | expected.exempt
    foreign = [d for d in seen if d.device not in known and not d.lost]
    missing = sorted(called.keys() - counts.keys())
    yield from (_foreign(device, expected, bool(missing)) for device in foreign)
    yield from (
        SetFault(
            code="device-missing",
            device=called[name].device,
            why=f"{called[name].device} is enrolled here as {name} and not in this host",
        )
        for name in missing
    )
    for device in seen:
        if device.device in called:
            yield from _check_one(called[device.device], device)
        elif device.lost:
            yield _lost(device.device, device)


def _foreign(device: SeenDevice, expected: Expected, is_one_gone: bool) -> SetFault:
    where = f" in slot {device.slot}" if device.slot else ""
    said = f"{device.device} ({device.chip or 'of no model'}){where} is not enrolled on this host"
    if device.device in (expected.names.get(name, name) for name in expected.licensed):
        said += ", but on another of the same licence"
    elif is_one_gone:
        said += ", and an enrolled one is gone"
        return SetFault(code="device-swapped", device=device.device, why=said)
    return SetFault(code="device-foreign", device=device.device, why=said)


def _check_one(enrolled: EnrolledDevice, seen: SeenDevice) -> Iterator[SetFault]:
    if seen.lost:
        yield _lost(enrolled.device, seen)
        return
    one, other = known_chips().find(enrolled.chip), known_chips().find(seen.chip)
    if one is not None and other is not None and one.name != other.name:
        yield SetFault(
            code="device-not-as-enrolled",
            device=enrolled.device,
            why=f"{enrolled.device} is enrolled as {enrolled.chip} and says that it is {seen.chip}",
        )
    memory, told = enrolled.memory_bytes, seen.memory_bytes
    if memory and told is not None and told * 100 < memory * _LEAST_MEMORY_PERCENT:
        yield SetFault(
            code="device-not-as-enrolled",
            device=enrolled.device,
            why=f"{enrolled.device} is enrolled with {memory} bytes of memory and has {told}",
        )


def _lost(name: str, seen: SeenDevice) -> SetFault:
    return SetFault(code="device-lost", device=name, why=f"{name} does not answer: {seen.lost}")
