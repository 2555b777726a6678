"""Orders as people name them on the command line: REGISTER/NUMBER, as pause/JP/1."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sekisho.model.errors import InvalidInput

if TYPE_CHECKING:
    from sekisho.ceremony import State
    from sekisho.orders import KnownOrder

__all__ = ["find_order"]


def find_order(state: State, text: str, *, path: str) -> KnownOrder:
    """The order of that name. Raises InvalidInput naming the flag or argument."""
    register, _, number = text.rpartition("/")
    book = state.orders.orders.get(register)
    known = book.get(int(number) if number.isdecimal() else -1) if book is not None else None
    if known is None:
        raise InvalidInput(
            f"{text[:80]!r} is no order of this log",
            path=path,
            remedy="write REGISTER/NUMBER, as pause/JP/1; see sekisho order list",
        )
    return known
