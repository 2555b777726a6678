"""`show` of the statements of the register of chips: in words, in both languages, no field left out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sekisho.model.statements import ChipTags, Predicate, Span, make_payload
from tests.cli.governing import Governor
from tests.factory import NOW
from tests.factory_kinds import one_of_each

Capture = pytest.CaptureFixture[str]
EACH = one_of_each()
OTHER = Span(start=NOW, end=NOW.plus(60))
CHANGES: dict[str, dict[str, object]] = {
    "chip-registered": {"batch": "0" * 64, "chips": (ChipTags(serial="0" * 64),)},
    "custody-moved": {"batch": 2, "events": 4, "root": "0" * 64, "concealed": ()},
    "inventory-taken": {
        "party": "party-2",
        "taken": NOW.plus(60),
        "items": "0" * 64,
        "concealed": (),
    },
    "balance-closed": {
        "party": "party-2",
        "period": OTHER,
        "report": "0" * 64,
        "verdict": "fails",
        "corrects": None,
        "concealed": (),
    },
    "production-reported": {
        "party": "party-2",
        "period": OTHER,
        "report": "0" * 64,
        "corrects": None,
        "concealed": (),
    },
    "irregularity-found": {
        "irregularity": "shortage",
        "books": "balance",
        "about": "0" * 64,
        "count": 3,
        "concealed": (),
    },
}


@pytest.fixture
def governor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Governor:
    return Governor(tmp_path, monkeypatch)


def page_of(governor: Governor, fact: Predicate, capsys: Capture) -> Any:
    path = governor.path("paper.json")
    path.write_bytes(make_payload(fact))
    return governor.answer(capsys, "show", path)


@pytest.mark.parametrize("kind", CHANGES)
@pytest.mark.parametrize("language", ["en", "ja"])
def test_each_kind_has_its_own_words(
    governor: Governor, capsys: Capture, kind: str, language: str
) -> None:
    """Title and effect in the reader's language; no field is left to a bare listing."""
    governor.language = language  # type: ignore[assignment]  # the two that there are
    page = page_of(governor, EACH[kind], capsys)
    assert page["kind"] == kind
    assert "field" not in page["says"]
    assert page["says"]["effect"]
    assert governor.call("show", governor.path("paper.json")) == 0
    assert page["phrase"] in capsys.readouterr().out


@pytest.mark.parametrize("kind", CHANGES)
def test_changing_any_field_changes_the_page(
    governor: Governor, capsys: Capture, kind: str
) -> None:
    """Nothing is signed unseen: each field has its place in the words."""
    base = EACH[kind]
    assert set(CHANGES[kind]) == {field.name for field in msgspec.structs.fields(base)} - {
        "crit",
        "effective",
    }
    pages = [words_of(governor, base, capsys)]
    for name, value in {**CHANGES[kind], "effective": NOW.plus(3_600)}.items():
        pages.append(words_of(governor, msgspec.structs.replace(base, **{name: value}), capsys))
    assert len(set(pages)) == len(pages)


def words_of(governor: Governor, fact: Predicate, capsys: Capture) -> str:
    says = page_of(governor, fact, capsys)["says"]
    return json.dumps({c: text for c, text in says.items() if c not in ("digest", "phrase")})
