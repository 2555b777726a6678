"""The gate's picture as a file of plain lines, which a scheduler's plugin reads without a JSON reader.

Lines are fields with tabs between: `sekisho-gate 1`, `host`, `mode`, `written` and `until` in whole seconds of the
system clock, `grace` in seconds, one `run` for each run, and `end`, without which the file is not whole.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from sekisho.adapters.clocks import SystemClock
from sekisho.adapters.durable_files import replace_file
from sekisho.model.errors import Unavailable
from sekisho.ports.gate import GatePicture, RunGate

__all__ = ["GATE_NAME", "RECORDS_NAME", "GateFile", "ShownGate", "parse_gate", "write_lines"]

GATE_NAME = "gate"
RECORDS_NAME = "jobs"


class ShownGate(msgspec.Struct, frozen=True, kw_only=True):
    """A picture as the file has it: `rules` says of each run why it is shut, empty where it is open."""

    mode: str
    until_s: int
    rules: dict[str, str]


class GateFile:
    """Implements ports.Gate over `folder`/gate."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / GATE_NAME
        self._clock = SystemClock()

    def show(self, picture: GatePicture) -> None:
        """Replace the file at once. A crash before leaves the old picture, which ages."""
        try:
            replace_file(self._path, write_lines(picture, int(self._clock.now().seconds)))
            self._path.chmod(0o644)
        except OSError as error:
            raise Unavailable(
                f"the gate cannot be shown: {error}", remedy=f"check {self._path.parent}"
            ) from None


def write_lines(picture: GatePicture, system_s: int) -> bytes:
    """The file's bytes. Times move from the picture's clock to the system's, which the plugin reads."""
    until_s = system_s + int(picture.until.since(picture.written))
    rows = [
        ("sekisho-gate", "1"),
        ("host", picture.host),
        ("mode", picture.mode),
        ("written", str(system_s)),
        ("until", str(until_s)),
        ("grace", str(picture.grace_s)),
        *(_run_fields(run) for run in picture.runs),
        ("end",),
    ]
    return "".join("\t".join(_plain(field) for field in row) + "\n" for row in rows).encode()


def _run_fields(run: RunGate) -> tuple[str, ...]:
    state = "open" if run.is_open else "shut"
    return ("run", run.run, state, run.licence, run.rule, run.reason, run.remedy)


def _plain(field: str) -> str:
    """A field can hold no tab and no line end: it could say more than it is."""
    return "".join(sign if sign.isprintable() else " " for sign in field)[:400]


def parse_gate(raw: bytes) -> ShownGate | None:
    """What the file shows; None where it is not whole. The scripts that let jobs in read it by themselves."""
    rows = [line.split("\t") for line in raw.decode(errors="replace").split("\n")]
    found = {row[0]: row[1] for row in rows if len(row) == 2}
    until = found.get("until", "")
    if ["end"] not in rows or found.get("sekisho-gate") != "1" or not until.isdigit():
        return None
    rules = {row[1]: row[4] for row in rows if len(row) == 7 and row[0] == "run"}
    return ShownGate(mode=found.get("mode", ""), until_s=int(until), rules=rules)
