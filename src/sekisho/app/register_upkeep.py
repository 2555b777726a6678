"""What a home's register needs now and then: captures without a server, queries beside one, a check, a rebuild."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from sekisho.adapters.durable_files import replace_file
from sekisho.app.control import Control
from sekisho.app.home import Home
from sekisho.app.register import scratch_in
from sekisho.app.terms_in_use import keep_terms
from sekisho.model.errors import InvalidInput, StateConflict
from sekisho.model.wire import to_plain
from sekisho.operations.register.rebuilding import (
    Checked,
    Heard,
    Rebuilt,
    check_register,
    rebuild_register,
)
from sekisho.operations.register.register import Register
from sekisho.ports.register_store import EventFilter, EventRow
from sekisho.registry.terms import RegisterTerms

__all__ = [
    "check_home_register",
    "opened_register",
    "read_home_events",
    "rebuild_home_register",
    "write_home_terms",
]

PAGE = 200


@contextmanager
def opened_register(home: Home) -> Iterator[Register]:
    """The register of a home that nobody serves, with its log, to capture in.

    Raises InvalidInput where no regime is founded here, StateConflict while a control plane runs on this home.
    """
    with Control(home, {}) as control:
        yield control.register
        control.register.complete()


def read_home_events(home: Home, wanted: EventFilter, *, limit: int) -> Iterator[EventRow]:
    """Captured events in the order of their numbers, read beside whoever writes them."""
    _require(home)
    with home.open_register(writes=False) as store:
        after: int | None = 0
        left = limit
        while after is not None and left > 0:
            page = store.find_events(wanted, after=after, limit=min(PAGE, left))
            yield from page.events
            left -= len(page.events)
            after = page.following


def check_home_register(home: Home, heard: Heard) -> Checked:
    """Compare what a home's register derived with what its events give. Raises StateConflict while it is served."""
    _require(home)
    with home.open_register() as store:
        return check_register(store, home.load_terms(), scratch_in(home.path), heard)


def rebuild_home_register(home: Home, heard: Heard) -> Rebuilt:
    """Make everything derived in a home's register again. Raises StateConflict while it is served."""
    _require(home)
    with home.open_register() as store:
        terms = home.load_terms()
        rebuilt = rebuild_register(store, terms, heard)
        keep_terms(home, terms)
        return rebuilt


def write_home_terms(home: Home, terms: RegisterTerms) -> None:
    """Write a home's first register.json. Raises StateConflict where there is one."""
    if home.register_terms.exists():
        raise StateConflict(
            f"{home.register_terms}: there is one already", remedy="edit it, then restart"
        )
    text = json.dumps(to_plain(terms), indent=2, ensure_ascii=False)
    # Crash before: no file, the defaults stand. After: all of it.
    replace_file(home.register_terms, f"{text}\n".encode(), mode=0o644)


def _require(home: Home) -> None:
    if not home.elsewhere.database and not home.register_file.is_file():
        raise InvalidInput(
            "no register of chips is kept here yet",
            path=str(home.register_file),
            remedy="sekisho up, or capture something",
        )
