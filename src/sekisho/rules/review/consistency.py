"""Can a condition hold at all, or fail at all? A search through its branches with exact bounds on each quantity.

What a parameter or a set has no value for constrains nothing, and so does a search that grows too long: the answer
"it can" is then a guess, the answer "it cannot" never is. Quantities are taken as independent of one another.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final, TypeAlias

from sekisho.model.instants import Instant
from sekisho.rules.pack import (
    All,
    AmountLimb,
    Any,
    Condition,
    DefinitionLimb,
    FlagLimb,
    Limb,
    Not,
    Pack,
    PlaceLimb,
    WordLimb,
)
from sekisho.rules.review.room import Choice, Range, Room

__all__ = ["Law", "Patience", "can_hold"]

MOST_STEPS: Final = 20_000  # of one search
PATIENCE: Final = 200_000  # steps of all searches of one review: some seconds
_NEGATED: Final = {">": "<=", ">=": "<", "<": ">=", "<=": ">", "=": "!=", "!=": "="}
# Of these a request tells one word, so two limbs on them have to agree.
_SINGLE: Final = frozenset({"form", "activity", "eccn", "model", "user_class"})
_Wanted: TypeAlias = tuple[Condition, bool]
_Rooms: TypeAlias = dict[str, Room]


class Patience:
    """What is left of the work that one review may take: a pack may have been written to exhaust it."""

    def __init__(self) -> None:
        self.left = PATIENCE


class Law:
    """A pack on one day: what its parameters, sets and definitions are then."""

    def __init__(self, pack: Pack, at: Instant, patience: Patience | None = None) -> None:
        self.pack, self.at, self.patience = pack, at, patience or Patience()

    def threshold(self, limb: AmountLimb) -> int | Fraction | None:
        if not limb.parameter:
            return limb.value
        dated = self.pack.parameters[limb.parameter].at(self.at)
        return dated.value if dated is not None else None

    def places(self, limb: PlaceLimb) -> frozenset[str] | None:
        if not limb.place_set:
            return frozenset(limb.places)
        dated = self.pack.sets[limb.place_set].at(self.at)
        return dated.members if dated is not None else None

    def meaning(self, limb: DefinitionLimb) -> Condition | None:
        """What the definition asks; None where nothing of that name is law, so that it is false."""
        dated = self.pack.definitions[limb.definition].at(self.at)
        return dated.when if dated is not None else None


def can_hold(law: Law, *wanted: _Wanted) -> bool:
    """Whether some request meets every condition that is wanted true and none that is wanted false."""
    open_branches: list[tuple[tuple[_Wanted, ...], _Rooms]] = [(wanted, {})]
    for _ in range(min(MOST_STEPS, law.patience.left)):
        law.patience.left -= 1
        if not open_branches:
            return False
        todo, rooms = open_branches.pop()
        if not todo:
            return True
        (condition, truth), rest = todo[0], todo[1:]
        if isinstance(condition, Not):
            open_branches.append((((condition.part, not truth), *rest), rooms))
        elif isinstance(condition, All | Any):
            _branch(open_branches, condition, truth, rest, rooms)
        elif isinstance(condition, DefinitionLimb):
            _unfold(law, open_branches, condition, truth, rest, rooms)
        else:
            narrowed = _narrow(law, condition, truth, rooms)
            if narrowed is not None:
                open_branches.append((rest, narrowed))
    return True


def _branch(
    open_branches: list[tuple[tuple[_Wanted, ...], _Rooms]],
    condition: All | Any,
    truth: bool,
    rest: tuple[_Wanted, ...],
    rooms: _Rooms,
) -> None:
    """All that are wanted together stay on one branch, plain limbs first; alternatives are a branch each."""
    parts = [(part, truth) for part in condition.parts]
    if isinstance(condition, All) is truth:
        simple = [part for part in parts if not isinstance(part[0], All | Any | DefinitionLimb)]
        others = [part for part in parts if isinstance(part[0], All | Any | DefinitionLimb)]
        open_branches.append(((*simple, *rest, *others), rooms))
    else:
        open_branches.extend(((part, *rest), rooms) for part in reversed(parts))


def _unfold(
    law: Law,
    open_branches: list[tuple[tuple[_Wanted, ...], _Rooms]],
    limb: DefinitionLimb,
    truth: bool,
    rest: tuple[_Wanted, ...],
    rooms: _Rooms,
) -> None:
    meaning, wanted = law.meaning(limb), limb.value is truth
    if meaning is not None:
        open_branches.append((((meaning, wanted), *rest), rooms))
    elif not wanted:
        open_branches.append((rest, rooms))


def _narrow(law: Law, limb: Limb, truth: bool, rooms: _Rooms) -> _Rooms | None:
    """What is left for the limb's quantity; None where nothing is."""
    if isinstance(limb, DefinitionLimb):
        return rooms
    room = _limited(law, limb, truth, rooms.get(limb.quantity))
    if room is None:
        return rooms
    return {**rooms, limb.quantity: room} if room.is_open else None


def _limited(law: Law, limb: Limb, truth: bool, room: Room | None) -> Room | None:
    if isinstance(limb, AmountLimb):
        threshold = law.threshold(limb)
        before = room if isinstance(room, Range) else Range()
        op = limb.op if truth else _NEGATED[limb.op]
        return before.limited(op, threshold) if threshold is not None else None
    choice = room if isinstance(room, Choice) else Choice()
    if isinstance(limb, FlagLimb):
        word = "true" if limb.value is truth else "false"
        return choice.only(frozenset({word}))
    if isinstance(limb, WordLimb):
        words = frozenset(limb.words)
        if limb.quantity in _SINGLE:
            return choice.only(words) if truth else choice.none_of(words)
        return choice.one_of(words) if truth else choice.none_of(words)
    if isinstance(limb, PlaceLimb):
        return _placed(law, limb, truth, choice)
    return None


def _placed(law: Law, limb: PlaceLimb, truth: bool, choice: Choice) -> Choice | None:
    places = law.places(limb)
    if places is None:
        return None
    if limb.op == "any-of":
        return choice.one_of(places) if truth else choice.none_of(places)
    return choice.only(places) if truth else choice.one_outside(places)
