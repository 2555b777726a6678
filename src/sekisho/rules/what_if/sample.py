"""A made-up population to try a comparison on: transfers, training runs and cloud contracts of invented roles.

The same seed gives the same rows; a longer population begins with a shorter one's. Sizes fall as sizes do, and a part
of the owners stays close below well-known thresholds on purpose, so that a margin has something to show. It stands
for no real trade.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import date, timedelta
from typing import Final, TypeVar

from sekisho.model.wire import JsonValue

__all__ = ["sample_population"]

T = TypeVar("T")
_CHIPS: Final = (
    ("H100", 24),
    ("H200", 16),
    ("A100", 10),
    ("B200", 12),
    ("H20", 8),
    ("L40S", 8),
    ("L4", 6),
    ("MI300X", 8),
    ("A800", 3),
    ("Gaudi3", 3),
    ("GeForce RTX 4090", 2),
)
_TPP: Final = {
    "H100": 15_832,
    "H200": 15_832,
    "A100": 4_992,
    "B200": 36_000,
    "H20": 2_368,
    "L40S": 5_864,
    "L4": 1_936,
    "MI300X": 20_919,
    "A800": 4_992,
    "Gaudi3": 26_848,
    "GeForce RTX 4090": 5_285,
}
_PLACES: Final = (
    ("JP", 10),
    ("DE", 9),
    ("GB", 7),
    ("KR", 6),
    ("TW", 5),
    ("AE", 10),
    ("SA", 8),
    ("IN", 10),
    ("SG", 8),
    ("MY", 8),
    ("BR", 5),
    ("PL", 4),
    ("KE", 2),
    ("CN", 5),
    ("MO", 1),
    ("KZ", 2),
)
_USES: Final = (("commercial", 5), ("training", 2), ("inference", 3), ("research", 1))
_LETTERS: Final = {"transfer": "T", "training-run": "R", "cloud-use": "C"}
_NO_FLAGS: Final[dict[str, JsonValue]] = {f"rf{number:02d}": False for number in range(1, 13)}
# An exporter who has done its paperwork: no red flag, certificates signed, shipments notified.
_ANSWERS: Final[dict[str, dict[str, JsonValue]]] = {
    "transfer": {
        **_NO_FLAGS,
        "red-flags-resolved": True,
        "supercomputer": False,
        "known-training-for-d5": False,
        "exporter-is-fabricator": False,
        "lpp-certification": True,
        "lpp-notice": True,
        "aia-certification": True,
        "aia-certification-filed": True,
        "government-assurances": False,
    },
    "cloud-use": {
        **_NO_FLAGS,
        "red-flags-resolved": True,
        "prc-designed-chips": False,
        "trains-4e091": False,
    },
}
_MASK: Final = (1 << 64) - 1
_CAPS: Final = (26_900_000, 3_200_000)
_FLOP_LINES: Final = (10**23, 10**24, 10**25, 10**26)


class _Dice:
    """splitmix64: a sequence of 64-bit numbers from a seed; no randomness comes from outside."""

    def __init__(self, seed: int, number: int) -> None:
        self._state = (seed * 0x9E3779B97F4A7C15 + number * 0xD1342543DE82EF95) & _MASK

    def below(self, limit: int) -> int:
        self._state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        z = self._state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
        return (z ^ (z >> 31)) % limit

    def one_of(self, weighted: Sequence[tuple[T, int]]) -> T:
        place = self.below(sum(weight for _, weight in weighted))
        for value, weight in weighted:
            place -= weight
            if place < 0:
                return value
        raise ValueError("weights are positive")

    def is_one_in(self, many: int) -> bool:
        return self.below(many) == 0

    def falling(self, least: int, doublings: int) -> int:
        """At least `least`; each doubling is less likely than the one before."""
        size = least
        for _ in range(doublings):
            if self.below(100) < 45:
                break
            size *= 2
        return size + self.below(size)


def sample_population(
    count: int, seed: int, asked: Collection[str] = (), year: int | None = None
) -> Iterator[dict[str, JsonValue]]:
    """So many requests as JSON objects, numbered; about one in a hundred leaves out a fact that decides.

    `asked` are the facts that a pack asks for under names of its own: those of them that we have an answer for are
    answered, alike for all requests. With a `year` the rows are spread over its days in order, and say nothing of
    what went before: a ledger of one's own would tell it.
    """
    facts = {
        kind: {name: value for name, value in answers.items() if name in asked}
        for kind, answers in _ANSWERS.items()
    }
    for number in range(count):
        dice = _Dice(seed, number)
        kind = dice.below(100)
        row = _transfer(dice) if kind < 70 else _run(dice) if kind < 92 else _cloud(dice)
        name = str(row["kind"])
        told: dict[str, JsonValue] = {"facts": facts[name]} if facts.get(name) else {}
        if year is not None:
            row.pop("so_far", None)
            row.pop("owner_window_flop", None)
            told["on"] = str(date(year, 1, 1) + timedelta(days=number * 365 // count))
        yield {**row, **told, "id": f"{_LETTERS[name]}-{number + 1:07d}"}


def _transfer(dice: _Dice) -> dict[str, JsonValue]:
    chip, place = dice.one_of(_CHIPS), dice.one_of(_PLACES)
    owner = dice.falling(1, 12)
    count = dice.falling(4, 11)
    if owner % 7 == 0:  # this owner orders just below a cap
        cap = _CAPS[dice.below(2)]
        count = max(1, cap // _TPP[chip] * (96 + dice.below(4)) // 100)
    party: dict[str, JsonValue] = {
        "name": f"Importer {owner}",
        "country": place,
        "headquarters": place,
        "parent": f"Group {owner}",
        "parent_headquarters": "CN" if dice.is_one_in(60) else place,
        "listed": False,
        "listed_owner_known": False,
        "listed_owner_share": "0",
    }
    row: dict[str, JsonValue] = {
        "kind": "transfer",
        "activity": "export",
        "item": {"chip": chip},
        "count": count,
        "origin": "US",
        "destination": place,
        "exporter": {"name": f"Exporter {chr(65 + dice.below(6))}", "headquarters": "US"},
        "consignee": party,
        "end_user": party,
        "end_use": [dice.one_of(_USES)],
        "so_far": {"parent_year_tpp": "0", "country_tpp": "0", "end_user_tpp": "0"},
    }
    if dice.is_one_in(100):
        del row["count"]
    return row


def _run(dice: _Dice) -> dict[str, JsonValue]:
    owner = dice.falling(1, 10)
    flop = dice.falling(10**21, 18)
    if owner % 5 == 0:  # this developer plans just below a threshold
        line = _FLOP_LINES[dice.below(4)]
        flop = line // 1000 * (950 + dice.below(50))
    row: dict[str, JsonValue] = {
        "kind": "training-run",
        "party": f"developer-{owner}",
        "jurisdictions": [dice.one_of((("US-CA", 4), ("FR", 3), ("JP", 2), ("KR", 1)))],
        "planned_flop": str(flop),
        "origin": "scratch",
        "cluster": {
            "networked": True,
            "chips": [{"chip": dice.one_of(_CHIPS), "count": dice.falling(8, 12)}],
        },
    }
    if dice.is_one_in(100):
        del row["planned_flop"]
    return row


def _cloud(dice: _Dice) -> dict[str, JsonValue]:
    owner, place = dice.falling(1, 10), dice.one_of(_PLACES)
    return {
        "kind": "cloud-use",
        "provider": {"name": f"Cloud {chr(65 + dice.below(4))}", "headquarters": "US"},
        "customer": {
            "name": f"Tenant {owner}",
            "country": place,
            "headquarters": place,
            "parent": f"Group {owner}",
            "parent_headquarters": "CN" if dice.is_one_in(30) else place,
            "listed": False,
        },
        "place": place,
        "jurisdictions": [place],
        "planned_flop": str(dice.falling(10**21, 16)),
        "owner_window_flop": "0",
        "end_use": [dice.one_of(_USES)],
        "cluster": {
            "networked": True,
            "chips": [{"chip": dice.one_of(_CHIPS), "count": dice.falling(8, 10)}],
        },
    }
