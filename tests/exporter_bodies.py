"""Bodies as exporters and a Prometheus send them: dcgm-exporter's text, remote-write of both versions."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence

import cramjam

from sekisho.adapters.telemetry.columns import Channel, Samples, SeriesBook
from sekisho.adapters.telemetry.wire_messages import remote_write_1, remote_write_2
from sekisho.model.telemetry import DeviceSeen, Reason

__all__ = [
    "DCGM_NAMES",
    "Said",
    "Series",
    "as_text",
    "as_write_1",
    "as_write_2",
    "dcgm_series",
    "dcgm_values",
    "everything_book",
    "said",
    "snappy",
    "written_label",
]

Series = tuple[str, Mapping[str, str]]
Said = tuple[list[tuple[str, int, str]], Mapping[Reason, int]]

# What a dcgm-exporter of 2025 reports of each GPU with its profiling metrics on.
DCGM_NAMES = (
    "DCGM_FI_DEV_SM_CLOCK",
    "DCGM_FI_DEV_MEM_CLOCK",
    "DCGM_FI_DEV_GPU_TEMP",
    "DCGM_FI_DEV_POWER_USAGE",
    "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION",
    "DCGM_FI_DEV_GPU_UTIL",
    "DCGM_FI_DEV_XID_ERRORS",
    "DCGM_FI_DEV_FB_USED",
    "DCGM_FI_PROF_PIPE_TENSOR_ACTIVE",
    "DCGM_FI_PROF_SM_ACTIVE",
    "DCGM_FI_PROF_DRAM_ACTIVE",
    "DCGM_FI_PROF_PCIE_TX_BYTES",
)


def dcgm_series(hosts: int, gpus: int = 8) -> list[Series]:
    """Every series of some hosts, in the order in which their exporters print them; eleven labels each."""
    return [
        (name, _labels(host, gpu))
        for host in range(hosts)
        for name in DCGM_NAMES
        for gpu in range(gpus)
    ]


def _labels(host: int, gpu: int) -> dict[str, str]:
    return {
        "gpu": str(gpu),
        "UUID": f"GPU-{host:08x}-595d-41c7-8d21-79bcfa6{gpu:05x}",
        "pci_bus_id": f"00000000:{gpu:02X}:00.0",
        "device": f"nvidia{gpu}",
        "modelName": "NVIDIA H100 80GB HBM3",
        "Hostname": f"node-{host:04d}.cluster.example",
        "DCGM_FI_DRIVER_VERSION": "550.54.15",
        "container": "trainer",
        "namespace": "team-a",
        "pod": f"trainer-{host}-0",
        "job": "dcgm-exporter",
    }


def dcgm_values(count: int, dice: random.Random) -> list[str]:
    """Values as an exporter prints them; one in six is zero."""
    return ["0" if dice.random() < 1 / 6 else f"{dice.random():.6f}" for _ in range(count)]


def as_text(series: Sequence[Series], values: Sequence[str]) -> bytes:
    """An exposition with a comment of two lines before each metric."""
    lines: list[str] = []
    before = ""
    for (name, labels), value in zip(series, values, strict=True):
        if name != before:
            lines += [f"# HELP {name} What it is (in its unit).", f"# TYPE {name} gauge"]
            before = name
        inside = ",".join(f'{label}="{written_label(text)}"' for label, text in labels.items())
        lines.append(f"{name}{{{inside}}} {value}" if labels else f"{name} {value}")
    return "".join(f"{line}\n" for line in lines).encode()


def written_label(text: str) -> str:
    """A label's value as the text format writes it."""
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _sorted(one: Series) -> Iterator[tuple[str, str]]:
    name, labels = one
    yield from sorted({"__name__": name, **labels}.items())


def as_write_1(
    series: Sequence[Series], samples: Sequence[Sequence[tuple[float, int]]], *, pack: bool = True
) -> bytes:
    """A prometheus.WriteRequest: of each series values and times in milliseconds."""
    request = remote_write_1()["Request"]()
    for one, these in zip(series, samples, strict=True):
        written = request.timeseries.add()
        for name, value in _sorted(one):
            written.labels.add(name=name, value=value)
        for number, at_ms in these:
            written.samples.add(value=number, timestamp=at_ms)
    plain = bytes(request.SerializeToString())
    return snappy(plain) if pack else plain


def as_write_2(
    series: Sequence[Series], samples: Sequence[Sequence[tuple[float, int]]], *, pack: bool = True
) -> bytes:
    """An io.prometheus.write.v2.Request, with metadata behind each series."""
    request = remote_write_2()["Request"]()
    symbols: dict[str, int] = {"": 0}
    for one, these in zip(series, samples, strict=True):
        written = request.timeseries.add()
        for pair in _sorted(one):
            written.labels_refs.extend(symbols.setdefault(word, len(symbols)) for word in pair)
        for number, at_ms in these:
            written.samples.add(value=number, timestamp=at_ms)
        written.metadata.type = 2
        written.metadata.help_ref = symbols.setdefault(f"what {one[0]} is", len(symbols))
    request.symbols.extend(symbols)
    plain = bytes(request.SerializeToString())
    return snappy(plain) if pack else plain


def snappy(plain: bytes) -> bytes:
    return bytes(cramjam.snappy.compress_raw(plain))


def everything_book() -> SeriesBook:
    """A book that takes every series there is, under a name that says all of its labels."""

    def find(name: str, labels: Mapping[str, str]) -> tuple[Channel, DeviceSeen]:
        device = json.dumps([name, sorted(labels.items())])
        return Channel(device=device, field="any"), DeviceSeen(device=device, site="test")

    return SeriesBook(find, "test")


def said(samples: Samples, book: SeriesBook) -> Said:
    """What was read: series, microseconds and value (in hexadecimal) of each sample; and how many were refused."""
    names = [
        book.channels[number].device if number >= 0 else str(number)
        for number in samples.channel.tolist()
    ]
    bits = [value.hex() for value in samples.value.tolist()]
    rows = list(zip(names, samples.at_us.tolist(), bits, strict=True))
    return rows, {refusal.reason: refusal.count for refusal in samples.refused}
