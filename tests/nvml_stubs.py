"""Builds the stand-in for NVML and runs the recorder on it."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

__all__ = ["build_stub", "environment", "read_rows", "record"]

SOURCE = Path(__file__).parent / "nvml_stub.c"


def build_stub(folder: Path) -> Path:
    """Compile the stand-in under the name by which NVML is loaded; the folder that holds it."""
    library = folder / "libnvidia-ml.so.1"
    flags = ["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror"]
    subprocess.run(["gcc", *flags, "-o", str(library), str(SOURCE)], check=True)
    return folder


def environment(folder: Path, words: str) -> dict[str, str]:
    return {**os.environ, "LD_LIBRARY_PATH": str(folder), "SEKISHO_NVML_STUB": words}


def record(folder: Path, words: str, out: Path, *options: str) -> tuple[int, dict[str, Any], str]:
    """Exit code, the answer (empty where there is none) and what was said besides."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "sekisho.cli",
            "meter",
            "record",
            "--out",
            str(out),
            "--json",
            *options,
        ],
        env=environment(folder, words),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, json.loads(done.stdout or "{}"), done.stderr


def read_rows(out: Path) -> list[dict[str, str]]:
    with out.open(encoding="utf-8", newline="") as source:
        return list(csv.DictReader(source))
