"""The words of CBV 2.0, in each of the spellings in which documents bear them, to the one bare word.

A word is bare (`shipping`), a web address (`https://ref.gs1.org/cbv/BizStep-shipping`) or a name of CBV 1
(`urn:epcglobal:cbv:bizstep:shipping`). Addresses of other vocabularies are a user's own words and stay whole. What
claims to be of CBV and is not in its list is refused: a misspelt word would otherwise mean nothing, silently. So is
what claims to be one of our own acts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

from sekisho.registry.terms import OWN_NAMESPACE

__all__ = [
    "CBV",
    "CBV_WORDS",
    "GS1",
    "OWN_ACTS",
    "Kind",
    "canonical_term",
    "find_word",
    "refuse_word",
    "word_address",
    "words_of",
]

CBV: Final = "https://ref.gs1.org/cbv/"
GS1: Final = "https://gs1.org/voc/"
_URN: Final = "urn:epcglobal:cbv:"
_OWN: Final = f"{OWN_NAMESPACE}act/"
OWN_ACTS: Final = tuple(
    "announced refused diverted split activated suspended exported returned lost found stolen recovered".split()
)
"""Acts that CBV has no word for, as business step or disposition behind our namespace and `act/`."""
Kind: TypeAlias = Literal[
    "bizStep", "disposition", "bizTransaction type", "source or destination type", "reason",
    "component", "exception",
]  # fmt: skip

_BIZ_STEPS: Final = (
    "accepting arriving assembling collecting commissioning consigning creating_class_instance "
    "cycle_counting decommissioning departing destroying disassembling dispensing encoding "
    "entering_exiting holding inspecting installing killing loading other packing picking receiving "
    "removing repackaging repairing replacing reserving retail_selling sampling sensor_reporting "
    "shipping staging_outbound stock_taking stocking storing transporting unloading unpacking "
    "void_shipping"
)
_DISPOSITIONS: Final = (
    "active available completeness_inferred completeness_verified conformant container_closed "
    "container_open damaged destroyed dispensed disposed encoded expired in_progress in_transit "
    "inactive mismatch_class mismatch_instance mismatch_quantity needs_replacement "
    "no_pedigree_match non_conformant non_sellable_other partially_dispensed recalled reserved "
    "retail_sold returned sellable_accessible sellable_not_accessible stolen unavailable unknown"
)
_COMPONENTS: Final = (
    "x y z axial_distance azimuth height spherical_radius polar_angle elevation_angle easting "
    "northing latitude longitude altitude"
)
# Kind -> (what the web address begins with, what the CBV 1 name begins with, the words).
_LISTS: Final[Mapping[Kind, tuple[str, str, str]]] = {
    "bizStep": (CBV + "BizStep-", _URN + "bizstep:", _BIZ_STEPS),
    "disposition": (CBV + "Disp-", _URN + "disp:", _DISPOSITIONS),
    "bizTransaction type": (
        CBV + "BTT-",
        _URN + "btt:",
        "bol cert desadv inv pedigree po poc prodorder recadv rma testprd testres upevt",
    ),
    "source or destination type": (
        CBV + "SDT-",
        _URN + "sdt:",
        "owning_party possessing_party location",
    ),
    "reason": (CBV + "ER-", _URN + "er:", "did_not_occur incorrect_data"),
    "component": (CBV + "Comp-", _URN + "comp:", _COMPONENTS),
    "exception": (GS1, _URN + "exception:", "ALARM_CONDITION ERROR_CONDITION"),
}
_ADDRESSES: Final[Mapping[Kind, Mapping[str, str]]] = {
    kind: {word: address + word for word in words.split()}
    for kind, (address, _, words) in _LISTS.items()
}
_SPELLINGS: Final[Mapping[Kind, Mapping[str, str]]] = {
    kind: {
        spelling: word for word in words.split() for spelling in (word, address + word, name + word)
    }
    for kind, (address, name, words) in _LISTS.items()
}
_BEGINNINGS: Final = tuple(
    (beginning, kind)
    for kind, (address, name, _) in _LISTS.items()
    for beginning in (address, name)
    if address != GS1
)
# Components (x, y, height) are too short and common to be kept from those who name prefixes.
CBV_WORDS: Final = frozenset(
    word for kind, words in _ADDRESSES.items() if kind != "component" for word in words
)


def words_of(kind: Kind) -> tuple[str, ...]:
    """Every bare word of a kind."""
    return tuple(_ADDRESSES[kind])


def find_word(kind: Kind, text: str) -> str | None:
    """The bare word that this spells; None where CBV 2.0 has no such word of this kind."""
    return _SPELLINGS[kind].get(text)


def refuse_word(kind: Kind, text: str) -> str:
    """Why a text that `find_word` does not know must not stand; "" for an address of another vocabulary."""
    if ":" not in text:
        near = _near(kind, text)
        return f"{text[:60]!r} is no {kind} of CBV 2.0; {near}"
    for beginning, owner in _BEGINNINGS:
        if text.startswith(beginning):
            what = f"a {owner}, not a {kind}" if owner != kind else f"no {kind} of CBV 2.0"
            return f"{text[:120]!r} is {what}; {_near(kind, text.removeprefix(beginning))}"
    if text.startswith(_OWN) and text.removeprefix(_OWN) not in OWN_ACTS:
        return f"{text[:120]!r} is no act of ours; write one of {', '.join(OWN_ACTS)} behind it"
    return ""


def word_address(kind: Kind, word: str) -> str:
    """The web address by which the hash knows a word; addresses of other vocabularies stand for themselves."""
    return _ADDRESSES[kind].get(word, word)


def canonical_term(text: str) -> str:
    """A name of CBV 1 as the web address that CBV 2.0 gave it; anything else as it stands."""
    if text.startswith(_URN):
        for address, name, _ in _LISTS.values():
            if text.startswith(name):
                return address + text.removeprefix(name)
    return text


def _near(kind: Kind, text: str) -> str:
    folded = text.strip().casefold().replace("-", "_").replace(" ", "_")
    if folded in _ADDRESSES[kind]:
        return f"write {folded}"
    return "write a word of its list, or the whole address of your own vocabulary"
