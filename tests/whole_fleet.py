"""A fleet of one hour on a store of a test's own, taken in by the command line itself."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from sekisho.cli import main
from sekisho.model.instants import Instant
from sekisho.settings import Settings

__all__ = ["HOUR", "NOON", "Fleet", "readings"]

NOON = Instant.parse("2026-03-14T12:00:00Z")
HOUR = ("--from", "2026-03-14T12:00:00Z", "--to", "2026-03-14T13:00:00Z")
READINGS = "timestamp,device,chip,host,gpu_index,mig_profile,power_w,gpu_util"
JOBS = "job,start,end,chips,devices,exempt"


def readings(
    device: str, index: int, seconds: Iterable[int], *, chip: str = "H100", profile: str = ""
) -> list[str]:
    """A row for each second after noon."""
    return [f"{NOON.plus(s)},{device},{chip},n1,{index},{profile},400,97" for s in seconds]


class Fleet:
    """Calls `sekisho meter` and gives the code and the document."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._settings = Settings(home=folder / "home", trust_file=folder / "trust.json")

    def call(self, *words: str, as_json: bool = True) -> tuple[int, Any]:
        """A command on the store; its document, or what a person reads."""
        place = ["--store", str(self.folder / "store"), *(["--json"] if as_json else [])]
        out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
        with contextlib.redirect_stdout(out):
            code = main.call(["meter", *words, *place], self._settings)
        out.flush()
        said = out.buffer.getvalue().decode("utf-8")
        return code, json.loads(said) if as_json else said

    def write(self, name: str, head: str, rows: Sequence[str]) -> str:
        path = self.folder / name
        path.write_text("\n".join([head, *rows, ""]), encoding="utf-8")
        return str(path)

    def report(self, *rows: str, site: str = "osaka") -> None:
        file = self.write("readings.csv", READINGS, rows)
        assert self.call("ingest", file, "--format", "csv", "--site", site)[0] == 0

    def lease(self, *rows: str, site: str = "osaka") -> None:
        file = self.write("jobs.csv", JOBS, rows)
        assert self.call("jobs", file, "--format", "csv", "--site", site)[0] == 0

    def whole(self, *words: str, enrolled: Sequence[str] = ()) -> tuple[int, Any]:
        """The account of the hour, held against a register where rows of one are given."""
        if enrolled:
            file = self.write("register.csv", "device,site,chip,host", enrolled)
            words = (*words, "--enrolled", file)
        return self.call("whole", *(words if "--from" in words else (*HOUR, *words)))
