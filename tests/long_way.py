"""The strict path without its short cut, so that a test can hold the two against each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from sekisho.model import wire
from sekisho.model.errors import SekishoError
from sekisho.model.quick_json import NotQuick
from sekisho.model.statements import statement
from sekisho.signing import dsse

__all__ = ["outcome_of", "the_long_way"]


@contextmanager
def the_long_way() -> Iterator[None]:
    """Within it nothing is read or written quickly."""

    def refuse(_: object) -> bytes:
        raise NotQuick

    with (
        patch.object(wire, "read_quickly", refuse),
        patch.object(wire, "write_quickly", refuse),
        patch.object(statement, "_parse_quickly", lambda _: None),
        patch.object(dsse, "_parse_quickly", lambda *_: None),
    ):
        yield


def outcome_of(act: Callable[[], Any]) -> tuple[str, Any]:
    """What an act gives, or the error that it raises: its kind and all its words."""
    try:
        return "gave", act()
    except SekishoError as error:
        return type(error).__name__, str(error)
