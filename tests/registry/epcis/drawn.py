"""Events drawn at random, and the same events in other spellings."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import strategies as st

from sekisho.model.instants import Instant
from sekisho.registry.epcis import ErrorDeclaration, Event, Quantity, Typed

LOCAL = st.text(alphabet="abcXYZ019_-", min_size=1, max_size=8)
SPACES = st.sampled_from(
    ["https://a.example.org/ns/", "urn:acme:field:", "https://b.example.org/n"]
)
NAMES = st.tuples(SPACES, LOCAL).map(lambda pair: f"{{{pair[0]}}}{pair[1]}")
TEXTS = st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=12)
NUMBERS = st.integers(-(10**9), 10**9) | st.floats(-1e9, 1e9, allow_nan=False, allow_infinity=False)
LEAVES = TEXTS | NUMBERS | st.booleans()
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.dictionaries(NAMES, TREES, max_size=3)
SERIALS = st.integers(0, 99_999).map(str)
URIS = SERIALS.map("https://chips.example.org/id/{}".format) | SERIALS.map(
    "urn:epc:id:sgtin:4012345.012345.{}".format
)
LISTS = st.lists(URIS, min_size=1, max_size=4).map(tuple)
INSTANTS = st.integers(-(10**15), 4 * 10**15).map(Instant)
ZONES = st.sampled_from(["+00:00", "-00:00", "+09:00", "-03:30", "+14:00"])
QUANTITIES = st.lists(
    st.builds(
        Quantity,
        epc_class=URIS,
        quantity=st.none() | st.sampled_from(["0", "1", "2.5", "0.00001", "123456789"]),
        unit=st.sampled_from(["", "KGM", "C35"]),
    ),
    min_size=1,
    max_size=3,
).map(tuple)
STEPS = st.sampled_from(["", "shipping", "receiving", "https://own.example.org/step/burning"])
MOODS = st.sampled_from(["", "active", "in_transit", "https://own.example.org/mood/odd"])


def _typed(words: list[str]) -> st.SearchStrategy[tuple[Typed, ...]]:
    return st.lists(st.builds(Typed, st.sampled_from(words), URIS), max_size=3).map(tuple)


_COMMON: dict[str, st.SearchStrategy[Any]] = {
    "at": INSTANTS,
    "zone": ZONES,
    "biz_step": STEPS,
    "disposition": MOODS,
    "read_point": URIS,
    "read_point_fields": FIELDS,
    "biz_location": URIS,
    "sources": _typed(["owning_party", "possessing_party", "location"]),
    "destinations": _typed(["owning_party", "possessing_party", "location"]),
    "persistent_set": st.sampled_from([(), ("recalled",), ("damaged", "expired")]),
    "certificates": st.sampled_from([(), ("https://c.example.org/1", "https://c.example.org/0")]),
    "extensions": FIELDS,
    "error": st.none()
    | st.builds(
        ErrorDeclaration,
        at=INSTANTS,
        reason=st.sampled_from(["", "did_not_occur"]),
        corrective=st.sampled_from([(), ("urn:uuid:1", "urn:uuid:2")]),
        extensions=FIELDS,
    ),
    "event_id": st.sampled_from(["", "urn:uuid:7"]),
    "raw": st.just({}),
}
_TRANSACTIONS = _typed(["", "po", "inv", "https://own.example.org/type/x"])
EVENTS: st.SearchStrategy[Event] = st.one_of(
    st.builds(
        Event, type=st.just("ObjectEvent"), action=st.just("ADD"), epcs=LISTS, ilmd=FIELDS,
        quantities=QUANTITIES | st.just(()), transactions=_TRANSACTIONS, **_COMMON,
    ),
    st.builds(
        Event, type=st.sampled_from(["AggregationEvent", "AssociationEvent"]),
        action=st.sampled_from(["ADD", "DELETE", "OBSERVE"]), parent=st.just("urn:box:1"),
        children=LISTS, child_quantities=QUANTITIES, **_COMMON,
    ),
    st.builds(
        Event, type=st.just("TransactionEvent"), action=st.just("ADD"), epcs=LISTS,
        transactions=st.just((Typed("po", "urn:po:1"), Typed("", "urn:po:0"))), **_COMMON,
    ),
    st.builds(
        Event, type=st.just("TransformationEvent"), inputs=LISTS, outputs=LISTS, ilmd=FIELDS,
        input_quantities=QUANTITIES, output_quantities=QUANTITIES,
        transformation=st.sampled_from(["", "urn:uuid:9"]), **_COMMON,
    ),
)  # fmt: skip

_UNORDERED = {"epcList", "childEPCs", "inputEPCList", "outputEPCList", "quantityList",
              "childQuantityList", "inputQuantityList", "outputQuantityList", "sourceList",
              "destinationList", "bizTransactionList", "sensorElementList", "sensorReport"}  # fmt: skip
_WORDS = {"bizStep": "BizStep-", "disposition": "Disp-"}


def respelled(value: Any, dice: random.Random) -> Any:
    """The same event in another spelling: order of names and lists, zones, words and GS1 identifiers."""
    if isinstance(value, dict):
        names = list(value)
        dice.shuffle(names)
        return {name: _field(name, value[name], dice) for name in names}
    if isinstance(value, list):
        return [respelled(item, dice) for item in value]
    return _identifier(value, dice) if isinstance(value, str) else value


def _field(name: str, value: Any, dice: random.Random) -> Any:
    if name == "@context":
        return value
    if name == "eventTime":
        return _moment(value, dice)
    if name in _WORDS and ":" not in value:
        return dice.choice([value, f"https://ref.gs1.org/cbv/{_WORDS[name]}{value}"])
    found = respelled(value, dice)
    if name in _UNORDERED:
        dice.shuffle(found)
    return found


def _moment(text: str, dice: random.Random) -> str:
    at = Instant.parse(text)
    hours = dice.randrange(-12, 13)
    local = str(Instant(at.us + hours * 3_600_000_000)).removesuffix("Z")
    return f"{local}{'+' if hours >= 0 else '-'}{abs(hours):02d}:00"


def _identifier(text: str, dice: random.Random) -> str:
    urn = "urn:epc:id:sgtin:4012345.012345."
    if not text.startswith(urn):
        return text
    serial = text.removeprefix(urn)
    return dice.choice(
        [text, f"https://id.gs1.org/01/04012345123456/21/{serial}",
         f"https://firm.example.org/gtin/4012345123456/lot/7/ser/{serial}?view=1"]
    )  # fmt: skip
