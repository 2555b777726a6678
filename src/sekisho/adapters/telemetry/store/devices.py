"""The devices that telemetry named: what they are, and from when to when readings of them were seen."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock
from typing import Final

import msgspec

from sekisho.adapters.telemetry.columns import MAX_DEVICES
from sekisho.adapters.telemetry.store.files import StoreFiles
from sekisho.adapters.telemetry.store.records import RecordFiles, RecordName
from sekisho.model.chips import faster_name
from sekisho.model.errors import Corrupt, InvalidInput
from sekisho.model.instants import Instant
from sekisho.model.telemetry import DeviceSeen
from sekisho.model.wire import canonical, from_json, parse_json

__all__ = ["DeviceRecords", "join_seen"]

_FOLD_AT: Final = 32
_MAX_BYTES: Final = 256 * 1024 * 1024


class _Joined(msgspec.Struct, frozen=True, kw_only=True):
    """Devices as these files, in this order, say."""

    names: tuple[RecordName, ...]
    devices: dict[str, DeviceSeen]


class DeviceRecords:
    """Devices by site. A newer record's words win where it has any, but see `join_seen`."""

    def __init__(self, files: StoreFiles) -> None:
        self._records = RecordFiles[DeviceSeen](files, "devices", write=canonical, parse=_parse)
        self._joined: dict[str, _Joined] = {}
        self._mutex = Lock()

    def save(self, site: str, devices: Sequence[DeviceSeen], *, recorded_us: int) -> int:
        """Keep what is new of them; how many that were. Raises InvalidInput for more than a site may have."""
        with self._mutex:
            known = self._join(site)
            if len(known.keys() | {device.device for device in devices}) > MAX_DEVICES:
                raise InvalidInput(
                    f"the site {site} would have more than {MAX_DEVICES:,} devices",
                    path="device",
                    remedy="send each device under one name that stays",
                )
            news = [
                device
                for device in devices
                if join_seen(before := known.get(device.device), device) != before
            ]
        self._records.save(site, news, recorded_us=recorded_us)
        return len(news)

    def load(self, site: str) -> dict[str, DeviceSeen]:
        """The devices of a site by name, in the order in which they were met."""
        with self._mutex:
            return dict(self._join(site))

    def _join(self, site: str) -> dict[str, DeviceSeen]:
        """What all files say together; files behind those that were joined before are added to that."""
        names = self._records.names(site)
        joined = self._joined.get(site)
        if joined is None or names[: len(joined.names)] != joined.names:
            joined = _Joined(names=(), devices={})
        for name in names[len(joined.names) :]:
            for device in self._records.load_one(site, name):
                known = joined.devices.get(device.device)
                joined.devices[device.device] = join_seen(known, device)
        self._joined[site] = _Joined(names=names, devices=joined.devices)
        return joined.devices

    def fold(self, site: str, *, recorded_us: int) -> None:
        """Where the files have become many, write what they say together as one, then take them away.

        Only for whoever holds the site. A file that is added meanwhile stays: it is not among those read.
        """
        names = self._records.names(site)
        if len(names) < _FOLD_AT:
            return
        together = list(self.load(site).values())
        self._records.save(site, together, recorded_us=recorded_us)
        # Crash here: both stand, and say the same.
        self._records.remove(site, names)


def join_seen(known: DeviceSeen | None, newer: DeviceSeen) -> DeviceSeen:
    """Two records of one device as one.

    Both stand for all its time, so neither may lower what its time amounts to: of two chips the faster, of two shares
    the greater.
    """
    if known is None:
        return newer
    return msgspec.structs.replace(
        newer,
        chip=faster_name(newer.chip, known.chip),
        host=newer.host or known.host,
        slot=newer.slot or known.slot,
        parent=newer.parent or known.parent,
        slices=max(newer.slices, known.slices),
        slices_of=max(newer.slices_of, known.slices_of),
        first=min(_there(known.first, newer.first), default=None),
        last=max(_there(known.last, newer.last), default=None),
        period_us=newer.period_us or known.period_us,
    )


def _there(*values: Instant | None) -> list[Instant]:
    return [value for value in values if value is not None]


def _parse(data: bytes, path: str) -> list[DeviceSeen]:
    try:
        return from_json(list[DeviceSeen], parse_json(data, path=path, limit=_MAX_BYTES), path=path)
    except InvalidInput as error:
        raise Corrupt(str(error), remedy="restore it from a copy of the store") from None
