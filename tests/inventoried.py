"""Tables as firms write them, messages as fleet agents send them, and standings to hold them against."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from typing import Any

from sekisho.model.custody import Identity, LifeState, Standing
from sekisho.model.instants import Instant, Period
from sekisho.registry.reading.csv_tables import CsvTable, open_table
from sekisho.registry.reading.declared import DeclaredItem
from sekisho.registry.reading.encodings import bytes_source
from sekisho.registry.reading.fleet_agent import ObservedDevice
from sekisho.registry.reading.subjects import AtSite, Sighting

__all__ = [
    "H100",
    "NOW",
    "SITE",
    "at_site",
    "device",
    "encoded",
    "gpu_uuid",
    "item",
    "message",
    "serial",
    "sighting",
    "standing",
    "table",
]

NOW = Instant.parse("2026-06-01T12:00:00Z")
SITE = "osaka-1"
H100 = "NVIDIA H100 80GB HBM3"


def serial(number: int) -> str:
    """A board's number of thirteen digits."""
    return f"1654922{number:06d}"


def gpu_uuid(number: int) -> str:
    """The UUID of the silicon that bears serial `number`."""
    return f"GPU-{uuid.UUID(int=number + (0xABCDEF << 100))}"


def table(
    rows: Sequence[Sequence[str]],
    *,
    encoding: str = "utf-8",
    delimiter: str = ",",
    path: str = "list.csv",
) -> CsvTable:
    """Rows joined by hand, as many exporters do, and opened."""
    text = "".join(delimiter.join(row) + "\r\n" for row in rows)
    return open_table(bytes_source(text.encode(encoding)), path=path)


def message(
    numbers: Sequence[int] = (1, 2),
    *,
    hostname: str = "gpu-01",
    chassis: str = "SRV-1",
    product: str = H100,
    booted: str = "2026-05-30T08:00:00.123456789+09:00",
    devices: Sequence[dict[str, Any]] | None = None,
    **fields: Any,
) -> dict[str, Any]:
    """An inventory message with boards of these numbers, in the fields that the agent has."""
    listed = [
        {
            "uuid": gpu_uuid(number),
            "busID": f"0000:{place:02x}:00.0",
            "sn": serial(number),
            "minorID": str(place),
            "boardID": 256 + place,
            "vbiosVersion": "96.00.89.00.01",
            "chassisSN": chassis,
            "gpuIndex": str(place),
        }
        for place, number in enumerate(numbers)
    ]
    return {
        "hostname": hostname,
        "agentConfig": {"inventoryEnabled": True, "inventoryIntervalSeconds": 3600},
        "resources": {
            "cpuInfo": {"type": "Xeon", "logicalCores": "224"},
            "memoryInfo": {"totalBytes": "2164663517184"},
            "gpuInfo": {
                "product": product,
                "manufacturer": "NVIDIA",
                "architecture": "hopper",
                "memory": "81559MiB",
                "gpus": listed if devices is None else list(devices),
            },
            "diskInfo": {"containerRootDisk": "/dev/sda", "blockDevices": []},
            "nicInfo": {"privateIPInterfaces": []},
        },
        "agentVersion": "1.2.3",
        "gpuDriverVersion": "575.28",
        "cudaVersion": "12.9",
        "dcgmVersion": "4.2.3",
        "systemUUID": "2f0d3c3a-0000-4000-8000-000000000001",
        "machineId": "m1",
        "bootID": "b1",
        "uptime": booted,
        "nodeGroup": "training",
        "computeZone": "jp-west",
    } | fields


def encoded(numbers: Sequence[int] = (1, 2), **fields: Any) -> bytes:
    """The same as bytes."""
    return json.dumps(message(numbers, **fields)).encode()


def standing(
    number: int,
    *,
    site: str = SITE,
    state: LifeState = "active",
    model: str = "H100 SXM5",
    holder: str = "cloud-a",
    **fields: Any,
) -> Standing:
    """How the register has board `number`."""
    identity = Identity(
        component=fields.pop("component", "board"),
        maker="nv",
        serial=fields.pop("serial", serial(number)),
        model=model,
        device_key=fields.pop("device_key", ""),
    )
    return Standing(
        epc=fields.pop("epc", f"urn:epc:id:sgtin:4912345.0{number:05d}.{number}"),
        identity=identity,
        state=state,
        custodian=holder,
        holder=holder,
        owner=fields.pop("owner", holder),
        site=site,
        made=NOW.plus(-90 * 86_400),
        at=NOW.plus(-30 * 86_400),
        number=100 + number,
        **fields,
    )


def item(number: int, **fields: Any) -> DeclaredItem:
    """A line of a list about board `number`."""
    given: dict[str, Any] = {
        "source": f"list.csv:{number + 1}",
        "line": number + 1,
        "serial": serial(number),
        "model": "H100",
        "site": SITE,
    }
    return DeclaredItem(**given | fields)


def device(number: int, *, node: str = "node-1", **fields: Any) -> ObservedDevice:
    """A report of board `number`, an hour ago, the same until five minutes ago."""
    given: dict[str, Any] = {
        "uuid": gpu_uuid(number),
        "serial": serial(number),
        "model": H100,
        "site": SITE,
        "hostname": f"host-{node}",
        "chassis": "SRV-1",
        "first": NOW.plus(-3_600),
        "last": NOW.plus(-300),
        "source": f"node {node} message",
    }
    return ObservedDevice(node=node, **given | fields)


def sighting(number: int, *, node: str = "node-1", **fields: Any) -> Sighting:
    """That a node reported board `number` with its own UUID, a week ago until now."""
    given: dict[str, Any] = {
        "serial": serial(number),
        "uuid": gpu_uuid(number),
        "site": SITE,
        "first": NOW.plus(-7 * 86_400),
        "last": NOW.plus(-300),
    }
    return Sighting(node=node, **given | fields)


def at_site(**fields: Any) -> AtSite:
    """One day at the site."""
    return AtSite(site=SITE, window=Period(NOW.plus(-86_400), NOW), **fields)
