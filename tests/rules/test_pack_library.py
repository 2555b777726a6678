"""The shipped packs: found by name, read once, and which of them judges a request that names none."""

from __future__ import annotations

import hashlib

import pytest

from sekisho.rules import DEFAULT_PACKS, RequestKind, load_pack, pack_bytes, pack_names
from sekisho.rules.library import load_packs_about
from sekisho.rules.requests.reading import KINDS

# The first pack: published, decided by, and named in receipts. A byte more would be another pack.
LOOP_2026 = "f35bb45564650a22f1e4c8a23ffb135c1a9a2b0d3a06f94d7be00278ae3931c1"


def test_the_first_pack_keeps_its_bytes() -> None:
    """And reads as it did: five rules about training runs, eight thresholds, nothing else."""
    assert hashlib.sha256(pack_bytes("loop-2026")).hexdigest() == LOOP_2026
    pack = load_pack("loop-2026")
    assert [rule.kinds for rule in pack.rules] == [("training-run",)] * 5
    assert len(pack.parameters) == 8
    assert not (pack.sets)
    assert not (pack.definitions)
    assert not (pack.quantities)
    assert not (pack.exceptions)
    assert not (pack.over)
    assert pack.coverage is None


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_request_has_a_pack_that_judges_it(kind: RequestKind) -> None:
    """Where nobody names another."""
    assert DEFAULT_PACKS[kind] in pack_names()


@pytest.mark.parametrize("kind", ["transfer", "cloud-use", "access", "training-run"])
def test_packs_about_a_kind_have_a_rule_about_it(kind: RequestKind) -> None:
    """In the order of names; the default among them."""
    found = load_packs_about(kind)
    assert DEFAULT_PACKS[kind] in [pack.name for pack in found]
    assert [pack.name for pack in found] == sorted(pack.name for pack in found)
    assert all(any(kind in rule.kinds for rule in pack.rules) for pack in found)


def test_a_shipped_pack_is_read_once() -> None:
    """Reading is a function of bytes that do not change while we run."""
    assert load_pack("loop-2026") is load_pack("loop-2026")
