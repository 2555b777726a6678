"""How many keys, and of how many organisations, an act takes: what a thief would have to steal. Pure arithmetic.

A power asks for the AND of its quorums, and no key speaks for two constituencies (rules of every charter), so the
fewest keys are the sum of the quorums. Source: protocol sections 2 and 6: a false pause by signature is as hard as a
false resume. What silence stops is no matter of keys.
"""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import msgspec

from sekisho.model.statements import CharterAdopted, Power, PowerGrant

__all__ = ["EasierPower", "easier_than_resume", "keys_needed", "organisations_needed"]

LASTING: tuple[Power, ...] = ("pause", "cap", "suspend-access")
"""What stops or slows work until somebody lifts it. A hold is none: it ends by itself, and has limits of its own."""
_MOST_COUNTED = 16


class EasierPower(msgspec.Struct, frozen=True, kw_only=True):
    """A power that stops work with fewer keys than it takes to lift that again."""

    power: Power
    keys: int
    resume: int


def keys_needed(terms: CharterAdopted, power: Power) -> int | None:
    """The fewest keys whose signatures make a power; None where nobody has it."""
    grant = _grant(terms, power)
    return None if grant is None else sum(part.k for part in grant.quorums)


def organisations_needed(terms: CharterAdopted, power: Power) -> int | None:
    """The fewest organisations whose keys together make a power.

    None where nobody has it, or where more than 16 organisations hold its keys: then it is not counted.
    """
    grant = _grant(terms, power)
    if grant is None:
        return None
    asked = {part.constituency: part.k for part in grant.quorums}
    held: dict[str, Counter[str]] = {}
    for group in terms.constituencies:
        for key in group.keys if group.name in asked else ():
            held.setdefault(key.organisation, Counter())[group.name] += 1
    if len(held) > _MOST_COUNTED:
        return None
    for size in range(1, len(held) + 1):
        for owners in combinations(held.values(), size):
            total = sum(owners, Counter())
            if all(total[name] >= k for name, k in asked.items()):
                return size
    return None


def easier_than_resume(terms: CharterAdopted) -> tuple[EasierPower, ...]:
    """The powers that stop work for long and take fewer keys than `resume` does."""
    resume = keys_needed(terms, "resume")
    if resume is None:
        return ()
    return tuple(
        EasierPower(power=power, keys=keys, resume=resume)
        for power in LASTING
        if (keys := keys_needed(terms, power)) is not None and keys < resume
    )


def _grant(terms: CharterAdopted, power: Power) -> PowerGrant | None:
    return next((grant for grant in terms.powers if grant.power == power), None)
