"""Slurm's own commands: lists of words, the C locale, a time limit and a bounded answer each."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from typing import IO

from sekisho.model.errors import Unavailable
from sekisho.ports.driver_settings import SlurmSettings

__all__ = ["SlurmCommands", "in_batches"]

TIMEOUT_S = 10.0
MAX_ANSWER = 64 * 1024 * 1024
MAX_COMPLAINT = 2000
IDS_PER_CALL = 200  # keeps a command line far below what the kernel takes
_PATH = "/usr/bin:/bin:/usr/sbin:/sbin:/usr/local/bin"


class SlurmCommands:
    """squeue, scontrol, scancel and sbatch of one cluster."""

    def __init__(self, settings: SlurmSettings) -> None:
        self._environment = {
            "LC_ALL": "C",
            "TZ": "UTC",
            "SLURM_BITSTR_LEN": "0",  # the tasks of an array in full, not their first 64 letters
            "PATH": os.environ.get("PATH", _PATH),
            **({"SLURM_CONF": settings.conf} if settings.conf else {}),
        }
        self._folder = settings.commands

    def ask(
        self, name: str, *arguments: str, given: bytes = b"", timeout_s: float = TIMEOUT_S
    ) -> bytes:
        """What a command answers. Raises Unavailable where it fails, is late, or answers too much."""
        done, answer, complaint = self._run(name, arguments, given, timeout_s)
        if done != 0:
            raise Unavailable(
                f"{name} ended with {done}: {complaint or 'without a word'}",
                remedy="is slurmctld up, and may this user do it (SlurmUser or an operator)?",
            )
        return answer

    def tell(self, name: str, *arguments: str, timeout_s: float = TIMEOUT_S) -> str:
        """Do what may fail for some jobs (gone, ending): what Slurm complained of, empty where it did not.

        Whoever tells looks afterwards what the jobs really do. Raises Unavailable where the command is late.
        """
        done, _, complaint = self._run(name, arguments, b"", timeout_s)
        return "" if done == 0 else complaint or f"{name} ended with {done}"

    def _run(
        self, name: str, arguments: Sequence[str], given: bytes, timeout_s: float
    ) -> tuple[int, bytes, str]:
        program = f"{self._folder}/{name}" if self._folder else name
        # Answers go into files, so that one without an end fills neither our memory nor a pipe.
        with tempfile.TemporaryFile() as answer, tempfile.TemporaryFile() as complaint:
            try:
                done = subprocess.run(
                    [program, *arguments],
                    input=given,
                    stdout=answer,
                    stderr=complaint,
                    env=self._environment,
                    timeout=timeout_s,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                raise Unavailable(f"{name} gave no answer within {timeout_s:.0f} s") from None
            except OSError as error:
                raise Unavailable(f"{name} cannot be run: {error.strerror}") from None
            words = _read(complaint, MAX_COMPLAINT).decode(errors="replace").strip()
            if os.fstat(answer.fileno()).st_size > MAX_ANSWER:
                raise Unavailable(f"{name} answered more than {MAX_ANSWER} bytes")
            return done.returncode, _read(answer, MAX_ANSWER), words


def in_batches(names: Iterable[str]) -> list[list[str]]:
    """Names of jobs, as many as one command line should hold."""
    words = sorted(names)
    return [words[at : at + IDS_PER_CALL] for at in range(0, len(words), IDS_PER_CALL)]


def _read(file: IO[bytes], limit: int) -> bytes:
    file.seek(0)
    return file.read(limit)
