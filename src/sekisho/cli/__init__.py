"""The command line: it reads flags and files, asks `app`, and prints the answer; nothing else."""

from __future__ import annotations

from sekisho.cli.answer import Answer, deliver, verdict_code, worst_code

__all__ = ["Answer", "deliver", "verdict_code", "worst_code"]
