"""Who is enrolled beside the charter's keys: hosts with their devices, and parties; each key speaks for one of them."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from sekisho.model.errors import VerificationError
from sekisho.model.persistent import PersistentMap
from sekisho.model.statements import HostEnrolled, PartyEnrolled
from sekisho.signing.keys import PublicKey

__all__ = ["Enrolled", "SharedKey", "UnknownSpeaker"]


class UnknownSpeaker(VerificationError):
    """A statement by a host, party or device that is not enrolled."""

    code = "unknown-speaker"


class SharedKey(VerificationError):
    """An enrolment whose key or device already speaks for another: who said something must stay one answer."""

    code = "shared-key"


class Enrolled(msgspec.Struct, frozen=True, kw_only=True):
    """Hosts and parties by name; `speakers` and `devices` find the host of a host key's id and of a device's name."""

    hosts: PersistentMap[str, HostEnrolled] = PersistentMap()
    parties: PersistentMap[str, PartyEnrolled] = PersistentMap()
    speakers: PersistentMap[str, str] = PersistentMap()
    devices: PersistentMap[str, str] = PersistentMap()

    def with_host(self, host: HostEnrolled) -> Enrolled:
        """With a host, in the place of an earlier one of its name."""
        left = self._silent(host.host)
        devices = left.devices
        for device in host.devices:
            devices = devices.plus(device.device, host.host)
        key = PublicKey.from_text(host.public).key_id
        return msgspec.structs.replace(
            left,
            hosts=left.hosts.plus(host.host, host),
            speakers=left.speakers.plus(key, host.host),
            devices=devices,
        )

    def without_host(self, name: str) -> Enrolled:
        """Without a host that left."""
        left = self._silent(name)
        return msgspec.structs.replace(left, hosts=left.hosts.minus(name))

    def with_party(self, party: PartyEnrolled) -> Enrolled:
        """With a party, in the place of an earlier one of its name."""
        return msgspec.structs.replace(self, parties=self.parties.plus(party.party, party))

    def check_host(self, new: HostEnrolled, taken: Collection[str]) -> None:
        """Refuse an enrolment that would let one key, or one device's name, speak for two (protocol section 9).

        A device's answer proves something only under a key that its operator does not hold. `taken` are key ids that
        speak already, or never again. Raises SharedKey.
        """
        own = PublicKey.from_text(new.public).key_id
        devices = [
            PublicKey.from_text(d.public).key_id for d in new.devices if d.public is not None
        ]
        if own in devices or any(
            key in taken or self.speakers.get(key, new.host) != new.host for key in (own, *devices)
        ):
            raise SharedKey(
                f"host {new.host} or a device of it bears a key that speaks for another"
            )
        names = [device.device for device in new.devices]
        if len(set(names)) != len(names) or any(
            self.devices.get(name, new.host) != new.host for name in names
        ):
            raise SharedKey(f"host {new.host} names a device that is enrolled already")

    def knows_key(self, key_id: str) -> bool:
        """Whether a host, a device or a party speaks by this key."""
        texts = [party.public for party in self.parties.values()]
        texts += [d.public for h in self.hosts.values() for d in h.devices if d.public is not None]
        return key_id in self.speakers or any(
            PublicKey.from_text(text).key_id == key_id for text in texts
        )

    def host_key(self, name: str) -> PublicKey:
        """Raises UnknownSpeaker."""
        host = self.hosts.get(name)
        if host is None:
            raise UnknownSpeaker(f"host {name!r} is not enrolled", remedy="enrol it first")
        return PublicKey.from_text(host.public)

    def party_key(self, name: str) -> PublicKey:
        """Raises UnknownSpeaker."""
        party = self.parties.get(name)
        if party is None:
            raise UnknownSpeaker(f"party {name!r} is not enrolled", remedy="enrol it first")
        return PublicKey.from_text(party.public)

    def device_key(self, name: str) -> PublicKey:
        """Raises UnknownSpeaker."""
        host = self.hosts.get(self.devices.get(name, ""))
        for device in host.devices if host is not None else ():
            if device.device == name and device.public is not None:
                return PublicKey.from_text(device.public)
        raise UnknownSpeaker(f"no enrolled device {name!r} has a key of its own")

    def _silent(self, name: str) -> Enrolled:
        """With a host whose key and devices speak no more; its own row stays."""
        host = self.hosts.get(name)
        if host is None:
            return self
        devices = self.devices
        for device in host.devices:
            devices = devices.minus(device.device)
        speakers = self.speakers.minus(PublicKey.from_text(host.public).key_id)
        return msgspec.structs.replace(self, speakers=speakers, devices=devices)
