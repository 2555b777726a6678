"""By which terms the register of a home was made: a changed register.json must not pass unseen.

What follows from the events depends on the terms, so under others the register is another until it is made again. The
digest of the terms in use lies beside them, in `register.terms`.
"""

from __future__ import annotations

from sekisho.adapters.durable_files import replace_file
from sekisho.app.home import Home
from sekisho.model.wire import canonical, sha256_hex, to_plain
from sekisho.ports.register_store import RegisterStore
from sekisho.registry.terms import RegisterTerms

__all__ = ["keep_terms", "stale_terms"]

STALE = (
    "register.json changed since the register was made by it, and what follows from the events is still as it was: "
    "stop, then sekisho registry rebuild"
)


def stale_terms(home: Home, store: RegisterStore, terms: RegisterTerms) -> str:
    """What to tell people where the register was made by other terms; empty where it was not.

    A register without events takes the terms that it finds, and so does one whose terms nobody noted before.
    """
    kept = home.register_terms_in_use
    if store.load_numbers().event and kept.exists():
        return "" if kept.read_bytes().strip() == _digest(terms) else STALE
    keep_terms(home, terms)
    return ""


def keep_terms(home: Home, terms: RegisterTerms) -> None:
    """Note that the register is made by these terms, once it is."""
    # Crash before: it is told stale once more, and made again to no harm.
    replace_file(home.register_terms_in_use, _digest(terms) + b"\n")


def _digest(terms: RegisterTerms) -> bytes:
    return sha256_hex(canonical(to_plain(terms))).encode()
