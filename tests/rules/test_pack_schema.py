"""The JSON Schema of a pack: what the reader takes it takes, and what is written wrong it refuses as well."""

from __future__ import annotations

import re
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it ships no types
import pytest

from sekisho.rules import pack_bytes, pack_names
from sekisho.rules.pack_schema import pack_schema
from sekisho.rules.pack_shapes import SHAPES
from sekisho.rules.strict_yaml import Leaf, Node, Row, parse_yaml
from tests.random_reforms import STARTS
from tests.written_packs import FULL, overlay_text

SCHEMA = pack_schema()
_WORDS = {"true": True, "false": False, "null": None}


def _plain(node: Node) -> Any:
    """A document as an editor sees it: YAML 1.2, where only true and false are flags."""
    if isinstance(node, Row):
        return [_plain(item) for item in node.items]
    if not isinstance(node, Leaf):
        return {name: _plain(inner) for name, inner in node.fields.items()}
    if not node.quoted and node.text in _WORDS:
        return _WORDS[node.text]
    is_number = re.fullmatch(r"-?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?", node.text)
    if is_number and not node.quoted:
        return int(node.text) if node.text.lstrip("-").isdigit() else float(node.text)
    return node.text


def _faults(text: str | bytes) -> list[str]:
    validator = jsonschema.Draft202012Validator(SCHEMA)
    return [error.message for error in validator.iter_errors(_plain(parse_yaml(text, "p.yaml")))]


def test_the_schema_is_one() -> None:
    """And every reference in it leads somewhere."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    asked = set(re.findall(r"'#/\$defs/([^']+)'", str(SCHEMA)))
    assert asked <= set(SCHEMA["$defs"])
    assert set(SHAPES) <= asked | {"pack", "overlay"}


@pytest.mark.parametrize("name", pack_names())
def test_every_shipped_pack_is_as_the_schema_says(name: str) -> None:
    """What an editor underlines in them would be its fault."""
    assert _faults(pack_bytes(name)) == []


def test_a_pack_with_everything_and_an_overlay_are_as_the_schema_says() -> None:
    """Every optional field is in the first."""
    assert _faults(FULL) == []
    entry = f"{{from: {STARTS}, source: bill-tighter, cite: x, mark: O"
    rest = f"""\
parameters:
  density:
    values:
      - {entry}, value: 4}}
rules:
  - id: to-concern
    status:
      - {entry}, status: suspended, acts: false}}
exceptions:
  - id: low-volume
    status:
      - {entry}, status: ended, acts: false}}
"""
    assert _faults(overlay_text(rest)) == []
    assert _faults(overlay_text(rest.replace("acts: false", "acts: no")))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("note: for tests\n", ""),
        ("standing: law", "standing: lore"),
        ("standing: law", "satnding: law"),
        ("kind: flag", "kind: flags"),
        ("[CN, HK, MO]", "[]"),
        ("[CN, HK, MO]", "[china]"),
        ("members: [CN, HK, MO, RU]", "members: none"),
        ("value: 5.92", "value: about six"),
        ("value: 5.92", "value: -1"),
        ("from: 2022-01-01, value: 1/3", "from: January, value: 1/3"),
        ("cite: Art. 3, mark: P", "cite: Art. 3, mark: X"),
        ("cite: Art. 3, mark: P", "mark: P"),
        ("definition: dense, is: true", "definition: dense, is: yes"),
        ("definition: dense, is: true", "definition: dense"),
        ("value: 1600, unit: TPP", "value: 1600, unit: GB"),
        ("value: 1600, unit: TPP", "value: 1600"),
        ("value: 1600, unit: TPP", "value: 1600, parameter: density, unit: TPP"),
        ("set: group-d}", "set: group-d, value: [CN]}"),
        ("value: [research]", "value: [reserach]"),
        ("op: one-of, value: [research]", "op: any-of, value: [research]"),
        ("quantity: tpp, op", "quantity: datacenter, op"),
        ("not: {", "nor: {"),
        ("for: [transfer]", "for: [transfers]"),
        ("outcome: licence", "outcome: license"),
        ("policy: case-by-case", "policy: maybe"),
        ("acts: false", "acts: 0"),
        ("per: half-year", "per: semester"),
        ("{days: 30, before: the shipment}", "{days: 30}"),
        ("{days: 30, before: the shipment}", "{days: 30, hours: 1, before: the shipment}"),
        ('["07-15", "01-15"]', '["15-07"]'),
        ("says: at most 100 chips\n", "sais: at most 100 chips\n"),
        ("id: low-volume", "id: Low Volume"),
    ],
    ids=lambda value: value[:36],
)
def test_what_is_written_wrong_is_underlined(old: str, new: str) -> None:
    """The faults that a schema can tell; names and histories only the reader can."""
    assert old in FULL
    assert _faults(FULL.replace(old, new, 1))
