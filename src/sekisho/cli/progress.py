"""A bar on the terminal for work of known length, shown once it has taken longer than two seconds."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["bar"]

PATIENCE_S = 2.0


@contextmanager
def bar(label: str) -> Iterator[Callable[[int, int], None]]:
    """What to call with what is done and what there is to do. Nothing is shown where nobody looks at a terminal."""
    if not sys.stderr.isatty():
        yield lambda *_: None
        return
    from rich.console import Console
    from rich.progress import Progress

    began = time.monotonic()
    with Progress(console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(label, total=None, visible=False)

        def show(done: int, total: int) -> None:
            is_long = time.monotonic() - began > PATIENCE_S
            bars.update(task, completed=done, total=total, visible=is_long)

        yield show
