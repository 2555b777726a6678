"""The inventory message of NVIDIA's open fleet agent: which devices one node says it has. Our own reading.

The message carries no signature and no time of its own: a node says what it likes, and what it says is worth what the
token is worth under which it came. Fields that we do not know are kept in the stored bytes and named here.
Source: the agent's public interface, `PUT /v1/agent/nodes/{uuid}` (Apache-2.0 project, commit 24228fdf).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant, parse_instant
from sekisho.model.wire import JsonValue, parse_json
from sekisho.registry.reading.columns import is_device_uuid, plain_uuid
from sekisho.registry.reading.declared import serial_key

__all__ = [
    "MAX_MESSAGE",
    "NodeDevice",
    "NodeInventory",
    "ObservedDevice",
    "observe",
    "parse_kept_node",
    "parse_node",
]

MAX_MESSAGE: Final = 1 << 20
MAX_DEVICES: Final = 256
_MAX_TEXT: Final = 256
# What drivers report where a board has no number of its own.
_NO_NUMBER: Final = frozenset({"", "0", "N/A", "n/a", "[N/A]", "Unknown", "unknown"})
_TOP: Final = frozenset(
    {
        *("hostname", "agentConfig", "resources", "agentVersion", "gpuDriverVersion"),
        *("cudaVersion", "dcgmVersion", "containerRuntimeVersion", "kernelVersion", "osImage"),
        *("operatingSystem", "systemUUID", "machineId", "bootID", "uptime", "enrolledAt"),
        *("netPrivateIP", "nodeGroup", "computeZone"),
    }
)
_DEVICE: Final = frozenset(
    {
        *("uuid", "busID", "clusterUUID", "cliqueID", "sn", "minorID", "boardID", "vbiosVersion"),
        *("chassisSN", "gpuIndex"),
    }
)


class NodeDevice(msgspec.Struct, frozen=True, kw_only=True):
    """One device of a node as its driver reports it; "" where the driver knows no number."""

    uuid: str
    serial: str = ""
    chassis: str = ""
    board: str = ""
    bus: str = ""
    index: str = ""


class NodeInventory(msgspec.Struct, frozen=True, kw_only=True):
    """What one node says of itself. `booted` is when it started; `unknown` names fields beyond the format."""

    hostname: str
    product: str = ""
    maker: str = ""
    driver: str = ""
    system_uuid: str = ""
    machine: str = ""
    boot: str = ""
    booted: Instant | None = None
    group: str = ""
    zone: str = ""
    devices: tuple[NodeDevice, ...] = ()
    unknown: tuple[str, ...] = ()


class ObservedDevice(msgspec.Struct, frozen=True, kw_only=True):
    """One device at one node of a site, in every message from `first` to `last`. `source` names the message."""

    uuid: str
    serial: str
    model: str
    node: str
    site: str
    hostname: str = ""
    chassis: str = ""
    zone: str = ""
    first: Instant
    last: Instant
    source: str

    @property
    def key(self) -> str:
        """What is compared with declarations: the serial where the board has one, else the UUID."""
        return serial_key(self.serial) or self.uuid


def parse_node(data: bytes, *, path: str = "") -> NodeInventory:
    """Read one message. Raises InvalidInput naming the field: not JSON, too long, a wrong type, one device twice."""
    return _read_node(parse_json(data, path=path, limit=MAX_MESSAGE, largest=2**63), path)


def parse_kept_node(data: bytes) -> NodeInventory:
    """Read a message that `parse_node` took before: strictness about JSON itself is not asked twice."""
    return _read_node(msgspec.json.decode(data), "")


def _read_node(document: JsonValue, path: str) -> NodeInventory:
    top = _object(document, path or "message")
    resources = _object(top.get("resources", {}), "resources")
    gpus = _object(resources.get("gpuInfo", {}), "resources.gpuInfo")
    devices, unknown = _devices(gpus.get("gpus"))
    return NodeInventory(
        hostname=_text(top, "hostname", "", is_needed=True),
        product=_text(gpus, "product", "resources.gpuInfo."),
        maker=_text(gpus, "manufacturer", "resources.gpuInfo."),
        driver=_text(top, "gpuDriverVersion", ""),
        system_uuid=_text(top, "systemUUID", ""),
        machine=_text(top, "machineId", ""),
        boot=_text(top, "bootID", ""),
        booted=_instant(top, "uptime"),
        group=_text(top, "nodeGroup", ""),
        zone=_text(top, "computeZone", ""),
        devices=devices,
        unknown=(*sorted(name[:100] for name in top.keys() - _TOP), *unknown)[:64],
    )


def observe(
    inventory: NodeInventory,
    *,
    node: str,
    site: str,
    first: Instant,
    last: Instant,
    source: str,
) -> tuple[ObservedDevice, ...]:
    """The devices of a message that came for a node of a site, the same in all messages from `first` to `last`."""
    return tuple(
        ObservedDevice(
            uuid=device.uuid,
            serial=device.serial,
            model=inventory.product,
            node=node,
            site=site,
            hostname=inventory.hostname,
            chassis=device.chassis,
            zone=inventory.zone,
            first=first,
            last=last,
            source=source,
        )
        for device in inventory.devices
    )


def _devices(listed: JsonValue) -> tuple[tuple[NodeDevice, ...], tuple[str, ...]]:
    where = "resources.gpuInfo.gpus"
    if listed is None:
        return (), ()  # a node without accelerators writes null here
    if not isinstance(listed, list):
        raise InvalidInput("is no list", path=where)
    if len(listed) > MAX_DEVICES:
        raise InvalidInput(f"{len(listed)} devices, more than {MAX_DEVICES}", path=where)
    devices, unknown, seen = [], set[str](), dict[str, int]()
    for place, listed_device in enumerate(listed):
        device = _object(listed_device, f"{where}[{place}]")
        devices.append(_device(device, f"{where}[{place}]."))
        unknown |= {f"gpus.{name[:100]}" for name in device.keys() - _DEVICE}
        earlier = seen.setdefault(devices[-1].uuid, place)
        if earlier != place:
            raise InvalidInput(f"is device {earlier} once more", path=f"{where}[{place}].uuid")
    return tuple(devices), tuple(sorted(unknown))


def _device(device: Mapping[str, JsonValue], path: str) -> NodeDevice:
    uuid = _text(device, "uuid", path, is_needed=True)
    if not is_device_uuid(uuid):
        raise InvalidInput(f"{uuid[:60]!r} is no device UUID", path=f"{path}uuid")
    board = device.get("boardID", "")
    if isinstance(board, bool) or not isinstance(board, int | str):
        raise InvalidInput("is no number", path=f"{path}boardID")
    return NodeDevice(
        uuid=plain_uuid(uuid),
        serial=_number(device, "sn", path),
        chassis=_number(device, "chassisSN", path),
        board=str(board)[:_MAX_TEXT],
        bus=_text(device, "busID", path),
        index=_text(device, "gpuIndex", path),
    )


def _object(value: JsonValue, path: str) -> Mapping[str, JsonValue]:
    if not isinstance(value, dict):
        raise InvalidInput("is no object", path=path)
    return value


def _text(value: Mapping[str, JsonValue], name: str, path: str, *, is_needed: bool = False) -> str:
    found = value.get(name, "")
    if not isinstance(found, str):
        raise InvalidInput("is no text", path=f"{path}{name}")
    if len(found) > _MAX_TEXT:
        raise InvalidInput(f"longer than {_MAX_TEXT} characters", path=f"{path}{name}")
    if is_needed and not found.strip():
        raise InvalidInput("is missing", path=f"{path}{name}")
    return found.strip()


def _number(value: Mapping[str, JsonValue], name: str, path: str) -> str:
    """A serial, or nothing where the driver wrote that there is none."""
    found = _text(value, name, path)
    return "" if found in _NO_NUMBER else found


def _instant(value: Mapping[str, JsonValue], name: str) -> Instant | None:
    """When the node started; the agent writes nanoseconds and the zone of the node."""
    text = _text(value, name, "")
    if not text:
        return None
    found = _RFC3339.fullmatch(text)
    if found is None:
        raise InvalidInput(f"{text[:40]!r} is no RFC 3339 time", path=name)
    fraction = f".{found[2][:6]}" if found[2] else ""
    at = parse_instant(f"{found[1]}{fraction}Z", path=name)
    if found[3] == "Z":
        return at
    hours, minutes = int(found[3][1:3]), int(found[3][4:6])
    offset = (hours * 60 + minutes) * 60
    return at.plus(-offset if found[3][0] == "+" else offset)


_RFC3339 = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)", re.ASCII
)
