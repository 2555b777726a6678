"""The inventory message of the fleet agent: read strictly, within bounds, unknown fields named."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant
from sekisho.registry.reading.fleet_agent import MAX_DEVICES, MAX_MESSAGE, observe, parse_node
from tests.inventoried import H100, NOW, SITE, encoded, gpu_uuid, message, serial


def devices(*fields: dict[str, Any]) -> bytes:
    listed = [{"uuid": gpu_uuid(n), "sn": serial(n)} | given for n, given in enumerate(fields)]
    return json.dumps(message(devices=listed)).encode()


def test_a_message_is_read() -> None:
    """Devices with UUID, serial, chassis and board; the start of the node in UTC; zone and group."""
    found = parse_node(encoded())
    assert (found.hostname, found.product, found.zone, found.group) == (
        "gpu-01",
        H100,
        "jp-west",
        "training",
    )
    assert found.booted == Instant.parse("2026-05-29T23:00:00.123456Z")
    first = found.devices[0]
    assert (first.uuid, first.serial, first.chassis, first.board) == (
        gpu_uuid(1),
        serial(1),
        "SRV-1",
        "256",
    )
    assert found.unknown == ()


def test_unknown_fields_are_named() -> None:
    """A newer agent's message is read, and says what we did not look at."""
    found = parse_node(
        json.dumps(message(devices=[{"uuid": gpu_uuid(1), "colour": "green"}], rack="r1")).encode()
    )
    assert found.unknown == ("rack", "gpus.colour")


@pytest.mark.parametrize("text", ["", "0", "N/A", "[N/A]", "Unknown"])
def test_a_board_without_a_number_has_none(text: str) -> None:
    """Drivers write words where there is no number; the UUID is then what it is known by."""
    (device,) = parse_node(devices({"sn": text})).devices
    assert device.serial == ""
    (seen,) = observe(
        parse_node(devices({"sn": text})), node="n", site=SITE, first=NOW, last=NOW, source="s"
    )
    assert seen.key == gpu_uuid(0)


def test_a_node_without_accelerators_is_no_error() -> None:
    """It writes null, or leaves the list out."""
    empty: list[str] = []
    for gpus in (None, empty):
        text = json.dumps(message() | {"resources": {"gpuInfo": {"gpus": gpus}}}).encode()
        assert parse_node(text).devices == ()


@pytest.mark.parametrize(
    ("data", "where"),
    [
        (b"[]", "message: is no object"),
        (b'{"hostname":"a","hostname":"b"}', "stands twice"),
        (encoded(hostname=""), "hostname: is missing"),
        (encoded(hostname=5), "hostname: is no text"),
        (encoded(hostname="x" * 300), "hostname: longer than"),
        (encoded(uptime="yesterday"), "uptime"),
        (encoded(uptime="2026-13-01T00:00:00Z"), "uptime"),
        (devices({"uuid": "GPU-1"}), r"gpus\[0\]\.uuid"),
        (devices({}, {"sn": 5}), r"gpus\[1\]\.sn: is no text"),
        (devices({"boardID": True}), r"gpus\[0\]\.boardID"),
        (devices({}, {"uuid": gpu_uuid(0).upper()}), r"gpus\[1\]\.uuid: is device 0 once more"),
        (json.dumps(message(devices=[{}])).encode(), r"gpus\[0\]\.uuid: is missing"),
        (devices(*[{}] * (MAX_DEVICES + 1)), "257 devices"),
        (b'{"hostname":"' + b"x" * MAX_MESSAGE + b'"}', "longer than"),
        (encoded()[:-1], "not JSON"),
    ],
)
def test_a_bad_message_is_refused_by_its_field(data: bytes, where: str) -> None:
    """A wrong type, a missing name, one device twice, too many of them, too much of it."""
    with pytest.raises(InvalidInput, match=where):
        parse_node(data)
