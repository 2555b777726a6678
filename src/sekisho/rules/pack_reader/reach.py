"""What a condition asks for, through definitions too: whether requests can tell it, and how long it is written out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sekisho.rules.pack import All, Any, Condition, Definition, DefinitionLimb, Limb, Not
from sekisho.rules.pack_reader.draft import Draft
from sekisho.rules.pack_shapes import MOST
from sekisho.rules.quantities import QUANTITIES
from sekisho.rules.requests.shapes import RequestKind
from sekisho.rules.strict_yaml import Node

__all__ = [
    "check_kinds",
    "check_size",
    "check_told",
    "conditions_of",
    "limbs_of",
    "note_definition",
    "quantities_behind",
    "recheck_base",
    "sizes_of",
]

_DEFINITION = "definition "  # before a definition's name in `draft.asked`


def note_definition(draft: Draft, name: str, node: Node) -> None:
    """Remembers that the condition being read asks for a definition, and where."""
    draft.asked.setdefault(f"{_DEFINITION}{name}", node)


def limbs_of(condition: Condition) -> Iterable[Limb]:
    """Every limb of a condition, in order."""
    for part in conditions_of(condition):
        if not isinstance(part, All | Any | Not):
            yield part


def conditions_of(condition: Condition) -> Iterable[Condition]:
    """A condition and all parts of it, in order."""
    yield condition
    if isinstance(condition, All | Any):
        for part in condition.parts:
            yield from conditions_of(part)
    elif isinstance(condition, Not):
        yield from conditions_of(condition.part)


def quantities_behind(definitions: Mapping[str, Definition]) -> Mapping[str, frozenset[str]]:
    """The quantities that each definition asks for in any of its versions, through others too; each looked at once."""
    found: dict[str, frozenset[str]] = {}
    for name, definition in definitions.items():
        asked: set[str] = set()
        for version in definition.versions:
            for limb in limbs_of(version.when) if version.when is not None else ():
                if isinstance(limb, DefinitionLimb):
                    asked |= found[limb.definition]
                else:
                    asked.add(limb.quantity)
        found[name] = frozenset(asked)
    return found


def sizes_of(definitions: Mapping[str, Definition]) -> Mapping[str, int]:
    """How many limbs each definition comes to, in its longest version, with those that it uses written out."""
    sizes: dict[str, int] = {}
    for name, definition in definitions.items():
        conditions = [version.when for version in definition.versions if version.when is not None]
        sizes[name] = max((_size(condition, sizes) for condition in conditions), default=1)
    return sizes


def _size(condition: Condition, sizes: Mapping[str, int]) -> int:
    return sum(
        sizes[limb.definition] if isinstance(limb, DefinitionLimb) else 1
        for limb in limbs_of(condition)
    )


def check_size(draft: Draft, node: Node, condition: Condition) -> None:
    """Refuses a condition, or a pack, that would take whoever decides by it endlessly long."""
    size = _size(condition, draft.sizes)
    draft.limbs += size
    if size > MOST["limbs"]:
        what = f"comes to {size} limbs, with its definitions written out"
        draft.fail(node, what, f"ask for at most {MOST['limbs']}")
    if draft.limbs > MOST["all-limbs"]:
        what = f"the pack comes to more than {MOST['all-limbs']} limbs"
        draft.fail(node, what, "split the pack, or ask for less")


def check_kinds(draft: Draft, asked: Mapping[str, Node], kinds: tuple[RequestKind, ...]) -> None:
    """Refuses a condition about requests that cannot tell what it asks; what a pack declares, all can tell."""
    behind = quantities_behind(draft.definitions)
    for name, node in asked.items():
        definition = name.removeprefix(_DEFINITION)
        through = f" (in definition {definition})" if definition != name else ""
        for quantity in sorted(behind[definition]) if through else [name]:
            told = QUANTITIES[quantity].kinds if quantity in QUANTITIES else kinds
            silent = [kind for kind in kinds if kind not in told]
            if silent:
                what = f"a {silent[0]} request tells no {quantity}{through}"
                remedy = f"let the rule be `for: [{', '.join(told)}]`, or ask for something else"
                draft.fail(node, what, remedy)


def check_told(draft: Draft, asked: Mapping[str, Node], kinds: set[RequestKind]) -> None:
    """Refuses a condition that no request of these kinds can tell."""
    behind = quantities_behind(draft.definitions)
    for name, node in asked.items():
        definition = name.removeprefix(_DEFINITION)
        for quantity in sorted(behind[definition]) if definition != name else [name]:
            if quantity in QUANTITIES and not kinds & set(QUANTITIES[quantity].kinds):
                what = f"no {' or '.join(sorted(kinds))} request tells {quantity}"
                draft.fail(node, what, "ask for what requests of the lifted rules tell")


def recheck_base(draft: Draft, node: Node) -> None:
    """The base's rules read definitions that an overlay goes on with: requests still tell it, and it still ends."""
    for rule in draft.base.rules if draft.base is not None else ():
        conditions = [rule.when, *(review.when for review in rule.reviews if review.when)]
        names = [_asked_by(limb) for condition in conditions for limb in limbs_of(condition)]
        check_kinds(draft, dict.fromkeys(names, node), rule.kinds)
        for condition in conditions:
            check_size(draft, node, condition)


def _asked_by(limb: Limb) -> str:
    """What a limb asks for, as `draft.asked` names it."""
    if isinstance(limb, DefinitionLimb):
        return f"{_DEFINITION}{limb.definition}"
    return limb.quantity
