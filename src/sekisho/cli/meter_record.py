"""`sekisho meter record`: this host's NVIDIA devices, read once to ten times a second, as CSV."""

from __future__ import annotations

import csv
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from sekisho.cli.answer import Answer, AsJson, deliver
from sekisho.model.errors import InvalidInput, Unavailable

if TYPE_CHECKING:
    from sekisho.app.recording import Recording

__all__ = ["add_to"]


def add_to(app: typer.Typer) -> None:
    """Add `record` to the group."""
    app.command()(record)


def record(
    out: Annotated[Path, typer.Option(help="Where the rows go; it must not exist yet.")],
    hz: Annotated[int, typer.Option(help="Readings a second, 1 to 10.")] = 1,
    length: Annotated[
        str, typer.Option("--for", help="How long: 90s, 30m, 24h; 0 until Ctrl-C.")
    ] = "0",
    site: Annotated[str, typer.Option(help="The site that the rows belong to.")] = "local",
    as_json: AsJson = False,
) -> None:
    """Record what NVML and, from Hopper on, GPM show of this host's devices; `meter ingest` takes the file.

    Nothing is set on a device. Fields that the driver does not give stay empty: not measured, not zero.
    """
    import socket

    from sekisho.app.recording import Pace, open_recording
    from sekisho.cli.durations import parse_length

    pace = Pace(hz=hz, seconds=parse_length(length, path="--for"))
    with open_recording(pace, host=socket.gethostname(), site=site) as recording, _new(out) as sink:
        for signal_number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(signal_number, lambda *_: recording.stop())
        _write(recording, sink)
        answer = _answer(recording, out)
    deliver(answer, as_json=as_json)


@contextmanager
def _new(out: Path) -> Iterator[TextIO]:
    """Raises InvalidInput where something lies there: a recording is never written over."""
    try:
        with out.open("x", encoding="utf-8", newline="") as sink:
            yield sink
    except FileExistsError:
        raise InvalidInput("is there already", path=str(out), remedy="name a new file") from None
    except OSError as error:
        raise Unavailable(f"{out} cannot be written: {error.strerror}") from None


def _write(recording: Recording, sink: TextIO) -> None:
    """Whole lines once a second or more slowly, so that a kill costs a second and no line is torn twice."""
    from sekisho.app.recording import HEADER

    writer = csv.writer(sink, lineterminator="\n")
    writer.writerow(HEADER)
    sink.flush()
    shown = _Line(sys.stderr)
    for number, rows in enumerate(recording.rows(), 1):
        writer.writerows(rows)
        if number % 10 == 0:
            sink.flush()
            shown.show(f"{number} readings of {len(recording.devices)} devices")
    shown.clear()


def _answer(recording: Recording, out: Path) -> Answer:
    summary = recording.summary()
    share = recording.core_share()
    document: dict[str, Any] = {
        "file": str(out),
        "devices": [
            {"device": d.device, "chip": d.chip, "slices": d.slices, "slices_of": d.slices_of}
            for d in recording.devices
        ],
        "readings": summary.ticks,
        "rows": summary.rows,
        "late": summary.late,
        "lost": dict(summary.lost),
        "not_measured": dict(summary.unreadable),
        "core_share": round(share, 5),
    }
    late = f"{summary.late} readings came too late; {share:.2%} of a core"
    lines = [
        f"{out}: {summary.rows} rows of {len(recording.devices)} devices, {late}",
        *(f"not measured: {field} ({why})" for field, why in summary.unreadable.items()),
        *(f"no answer, {count} times: {why}" for why, count in summary.lost.items()),
    ]
    code = 3 if not summary.rows else 0
    return Answer(document=document, text="\n".join(lines), exit_code=code)


class _Line:
    """One line on a terminal that is written over; nothing where nobody looks."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._shown = stream.isatty()

    def show(self, text: str) -> None:
        if self._shown:
            self._stream.write(f"\r\x1b[K{text}")
            self._stream.flush()

    def clear(self) -> None:
        if self._shown:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
