"""A condition in words, one line a limb, indented as it is nested."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sekisho.cli.rules_pack_rows import amount_text

if TYPE_CHECKING:
    from sekisho.cli.rules_pack_text import Reader
    from sekisho.rules.pack import AmountLimb, Condition, Limb, Pack, PlaceLimb

__all__ = ["condition_lines"]

_MANY = 12  # countries; a set of more is named, its members stand above


def condition_lines(condition: Condition, pack: Pack, reader: Reader) -> Iterator[str]:
    """The tree with the values of the reader's date; a parameter or set without a value is named alone."""
    from sekisho.rules.pack import All, Any, Not

    if isinstance(condition, All | Any):
        yield reader.say("when.all" if isinstance(condition, All) else "when.any")
        for part in condition.parts:
            yield from ("  " + line for line in condition_lines(part, pack, reader))
    elif isinstance(condition, Not):
        yield reader.say("when.not")
        yield from ("  " + line for line in condition_lines(condition.part, pack, reader))
    else:
        yield _limb(condition, pack, reader)


def _limb(limb: Limb, pack: Pack, reader: Reader) -> str:
    from sekisho.rules.pack import AmountLimb, DefinitionLimb, FlagLimb, PlaceLimb

    if isinstance(limb, AmountLimb):
        return _amount(limb, pack, reader)
    if isinstance(limb, DefinitionLimb):
        return reader.say(_yes(limb.value), name=limb.definition)
    if isinstance(limb, FlagLimb):
        return reader.say(_yes(limb.value), name=limb.quantity)
    if isinstance(limb, PlaceLimb):
        values = _places(limb, pack, reader)
        return reader.say(f"when.{limb.op}", name=limb.quantity, values=values)
    return reader.say("when.any-of", name=limb.quantity, values=", ".join(limb.words))


def _yes(value: bool) -> str:
    return "when.flag.yes" if value else "when.flag.no"


def _amount(limb: AmountLimb, pack: Pack, reader: Reader) -> str:
    if not limb.parameter:
        return f"{limb.quantity} {limb.op} {amount_text(limb.value)} {limb.unit}"
    now = pack.parameters[limb.parameter].at(reader.at)
    value = now.value if now is not None else None
    shown = amount_text(value) if value is not None else "?"
    return f"{limb.quantity} {limb.op} {shown} {limb.unit} ({limb.parameter})"


def _places(limb: PlaceLimb, pack: Pack, reader: Reader) -> str:
    if not limb.place_set:
        return ", ".join(limb.places)
    now = pack.sets[limb.place_set].at(reader.at)
    members = now.members if now is not None else None
    if members is None or len(members) > _MANY:
        return limb.place_set
    return f"{limb.place_set} ({', '.join(sorted(members))})"
