"""What `agent.json` says of a host's devices and interfaces: how they are called, which are no part of the set."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from sekisho.licensing.device_set import Expected
from sekisho.licensing.egress import LinkSides
from sekisho.model.statements import HostEnrolled

__all__ = ["DeviceSettings", "ExemptDevice"]

_Id = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]


class ExemptDevice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A device that may be there and at work without a lease, by the driver's name, and why. It is accounted apart."""

    device: _Id
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=400)]


class DeviceSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`names`: the driver's name (UUID) of an enrolled device whose enrolled name is another.

    `census` says who counts the devices. `licensed` are all device ids of the licence where it covers several hosts;
    the licence's root proves them. `unseen` are enrolled devices that no driver shows. `links` says which interfaces
    lead out of the set; without it what leaves is not measured.
    """

    census: Literal["nvml", "none"] = "nvml"
    names: dict[_Id, _Id] = {}
    licensed: Annotated[tuple[_Id, ...], msgspec.Meta(max_length=65_536)] = ()
    exempt: Annotated[tuple[ExemptDevice, ...], msgspec.Meta(max_length=256)] = ()
    unseen: Annotated[tuple[_Id, ...], msgspec.Meta(max_length=1024)] = ()
    links: LinkSides | None = None

    def expected(self, enrolment: HostEnrolled) -> Expected:
        """What this host should hold."""
        return Expected(
            enrolled=enrolment.devices,
            names=self.names,
            exempt=frozenset(one.device for one in self.exempt),
            unseen=frozenset(self.unseen),
            licensed=self.licensed,
        )
