"""What deciding events will ask of the book beside the chips that they name: told before, and loaded at once.

Wrong guesses cost time and nothing else: what was not foreseen is loaded when it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from sekisho.model.custody import Identity
from sekisho.registry.custody.book import Captured
from sekisho.registry.custody.facts import Facts, Reading
from sekisho.registry.custody.registering import identity_of
from sekisho.registry.terms import RegisterTerms

__all__ = ["Foreseen", "foresee"]

_SHIPPING: Final = frozenset({"ship", "announce", "divert", "split"})
_ENTERING: Final = frozenset({"register", "rework"})


class Foreseen(msgspec.Struct, frozen=True, kw_only=True):
    """Movements by reference, makers' serials, device keys, and hash ids of events that are declared wrong."""

    references: tuple[str, ...] = ()
    serials: tuple[tuple[str, str], ...] = ()
    device_keys: tuple[str, ...] = ()
    hash_ids: tuple[str, ...] = ()


def foresee(coming: Iterable[Captured], terms: RegisterTerms) -> Foreseen:
    """What these events will ask for."""
    references: list[str] = []
    identities: list[Identity] = []
    hash_ids: list[str] = []
    reading = Reading(terms)
    for captured in coming:
        facts = reading.facts(captured)
        if captured.event.error is not None:
            hash_ids.append(captured.hash_id)
        elif facts.effect in _SHIPPING:
            references.append(facts.reference)
        elif facts.effect in _ENTERING:
            identities += _identities(facts)
    return Foreseen(
        references=tuple(references),
        serials=tuple((identity.maker, identity.serial) for identity in identities),
        device_keys=tuple(i.device_key for i in identities if i.device_key),
        hash_ids=tuple(hash_ids),
    )


def _identities(facts: Facts) -> list[Identity]:
    named = (*facts.event.epcs, *facts.event.outputs)
    found = (identity_of(facts, epc) for epc in named)
    return [identity for identity in found if isinstance(identity, Identity)]
