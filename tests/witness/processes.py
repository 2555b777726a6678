"""Witnesses as real processes, for tests and measurements."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from sekisho.signing.notes import VerifierKey


class Ready(msgspec.Struct):
    """What a witness prints when it answers."""

    name: str
    vkey: str
    vkeys: list[str]
    address: str
    pid: int


@contextmanager
def running_witness(
    folder: Path, name: str, log: VerifierKey, *more: str
) -> Iterator[tuple[Ready, subprocess.Popen[str]]]:
    """A witness process on any free port, ended with the block."""
    command = [sys.executable, "-m", "sekisho.witness.main", "--dir", str(folder), "--port", "0"]
    command += ["--name", name, "--log", log.to_text(), *more]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            process.wait(10)
            assert process.stderr is not None
            raise ChildProcessError(process.returncode, process.stderr.read())
        try:
            yield Ready(**json.loads(line)), process
        finally:
            process.terminate()
            process.wait(10)
