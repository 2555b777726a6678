"""How a drill of numbered steps is told on a terminal: line by line, or not at all for --json."""

from __future__ import annotations

import sys

from sekisho.catalogue import Language, say
from sekisho.cli.plain_text import tame

__all__ = ["StepNarrator"]


class StepNarrator:
    """Tells what happens in one language; `titles` is what the catalogue's keys of the steps begin with."""

    def __init__(self, titles: str, language: Language, *, quiet: bool) -> None:
        self._titles = titles
        self._language = language
        self._quiet = quiet

    def begin(self, name: str, number: int, count: int) -> None:
        self._write(f"{number}/{count} {say(f'{self._titles}.{name}', self._language)}")

    def say(self, line: str) -> None:
        self._write(f"    {tame(line)}")

    def end(self, result: object) -> None:
        problem = getattr(result, "problem", "")
        self._write(f"    ✘ {tame(problem)}" if problem else "    ✔")

    def _write(self, line: str) -> None:
        if not self._quiet:
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
