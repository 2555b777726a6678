"""`show` of a usage report: in words, in both languages, no field left out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sekisho.catalogue import Language
from sekisho.model.statements import ChainHead, Span, UsageReported, make_payload
from tests.cli.governing import Governor
from tests.factory import NOW
from tests.factory_kinds import one_of_each

Capture = pytest.CaptureFixture[str]
CHANGES: dict[str, object] = {
    "licensee": "party-2",
    "period": Span(start=NOW, end=NOW.plus(60)),
    "chains": (ChainHead(host="host-1", sequence=7, digest="0" * 64),),
    "rollup": "0" * 64,
    "evidence": None,
    "corrects": None,
    "counting": "format-used",
    "concealed": (),
    "effective": NOW.plus(3_600),
}


@pytest.fixture
def governor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Governor:
    return Governor(tmp_path, monkeypatch)


def says(governor: Governor, fact: UsageReported, capsys: Capture) -> dict[str, Any]:
    path = governor.path("paper.json")
    path.write_bytes(make_payload(fact))
    found: dict[str, Any] = governor.answer(capsys, "show", path)["says"]
    return found


def fact() -> UsageReported:
    made = one_of_each()["usage-reported"]
    assert isinstance(made, UsageReported)
    return made


@pytest.mark.parametrize("language", ["en", "ja"])
def test_it_has_its_own_words(governor: Governor, capsys: Capture, language: Language) -> None:
    """No field is left to a bare listing; a correction says that it takes another's place."""
    governor.language = language
    first = says(governor, msgspec.structs.replace(fact(), corrects=None), capsys)
    correction = says(governor, fact(), capsys)
    assert "field" not in first
    assert first["effect"] != correction["effect"]


def test_changing_any_field_changes_the_page(governor: Governor, capsys: Capture) -> None:
    """Nothing is stated unseen."""
    names = {field.name for field in msgspec.structs.fields(fact())}
    assert set(CHANGES) == names - {"crit"}
    pages = [says(governor, fact(), capsys)]
    for name, value in CHANGES.items():
        pages.append(says(governor, msgspec.structs.replace(fact(), **{name: value}), capsys))
    shown = {
        json.dumps({k: v for k, v in page.items() if k not in ("digest", "phrase")})
        for page in pages
    }
    assert len(shown) == len(pages)
