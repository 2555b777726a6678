"""`sekisho licence declare`: a run's declaration from flags, shown, signed by its party, and in the log."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sekisho.model.statements import (
    ChipCount,
    Lineage,
    RunDeclared,
    Span,
    make_payload,
    parse_payload,
)
from tests import factory
from tests.cli.ceremonies import LICENSED, T0, KeyHolder, phrase_of
from tests.cli.governing import control_plane

Capture = pytest.CaptureFixture[str]
PARENT = "ab" * 32


@pytest.fixture
def party(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeyHolder:
    return KeyHolder(tmp_path, monkeypatch, second=LICENSED)


def flags(out: Path, **changes: str | None) -> list[str | Path]:
    """The command with every flag that is needed; None leaves one out."""
    given: dict[str, str | None] = {
        "run": "run-2",
        "party": "party-1",
        "site": "site-1",
        "jurisdiction": "JP",
        "purpose": "a translation model",
        "chip": "NVIDIA H100 SXM=8",
        "host": "host-1",
        "planned-flop": "1.5e20",
        "planned-flop-hardware": "2e20",
        "parent": PARENT,
        "lasts": "14d",
    }
    given |= {name.replace("_", "-"): value for name, value in changes.items()}
    pairs = [(f"--{name}", value) for name, value in given.items() if value is not None]
    return ["licence", "declare", *(word for pair in pairs for word in pair), "--out", out]


def test_a_run_is_declared_shown_signed_and_handed_in(party: KeyHolder, capsys: Capture) -> None:
    """What the flags say is in the statement and on the page; the party's key signs, an officer's does not."""
    out = party.path("run.json")
    shown = party.answer(capsys, *flags(out), "--log", party.log)
    assert shown["warnings"] == []
    fact = parse_payload(out.read_bytes()).predicate
    assert fact == RunDeclared(
        effective=party.now,
        run="run-2",
        party="party-1",
        site="site-1",
        jurisdictions=("JP",),
        purpose="a translation model",
        lineage=Lineage(scratch=False, parents=(PARENT,)),
        chips=(ChipCount(chip="NVIDIA H100 SXM", count=8),),
        hosts=("host-1",),
        planned_flop="150000000000000000000",
        planned_flop_hardware="200000000000000000000",
        period=Span(start=party.now, end=party.now.plus(14 * 86_400)),
    )
    command = ("licence", "sign", out, "--phrase", phrase_of(out.read_bytes()), "--log", party.log)
    assert party.call(*command, "--key", party.key("authority-1")) == 1
    assert "not that of party party-1" in capsys.readouterr().err
    assert party.call(*command, "--key", party.key("party-1")) == 0
    with control_plane() as (url, sent):
        assert party.call("licence", "issue", out, "--control", url) == 0
    assert sent == [out.read_bytes()]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"parent": None}, "--scratch, --parent"),
        ({"parent": "no digest"}, "lineage.parents"),
        ({"jurisdiction": None}, "--jurisdiction"),
        ({"host": None}, "--host"),
        ({"chip": "NVIDIA H100 SXM"}, "--chip"),
        ({"chip": "NVIDIA H100 SXM=some"}, "--chip"),
        ({"planned_flop": "much"}, "--planned-flop"),
        ({"lasts": "soon"}, "--lasts"),
        ({"jurisdiction": "Japan"}, "jurisdictions"),
    ],
)
def test_what_declares_nothing_is_refused_by_its_flag(
    party: KeyHolder, capsys: Capture, changes: dict[str, str | None], words: str
) -> None:
    """The flag or field is named, and nothing is written."""
    out = party.path("run.json")
    assert party.call(*flags(out, **changes), "--log", party.log) == 2
    assert words in capsys.readouterr().err
    assert not out.exists()


def test_scratch_and_parents_exclude_each_other(party: KeyHolder, capsys: Capture) -> None:
    """A run is from scratch or it has parents."""
    out = party.path("run.json")
    assert party.call(*flags(out), "--scratch") == 2
    assert "both given" in capsys.readouterr().err
    assert party.call(*flags(out, parent=None), "--scratch", "--post-training") == 0
    fact = parse_payload(out.read_bytes()).predicate
    assert isinstance(fact, RunDeclared)
    assert (fact.lineage, fact.post_training) == (Lineage(scratch=True), True)


@pytest.mark.parametrize("language", ["en", "ja"])
def test_what_the_log_does_not_know_is_loud(
    party: KeyHolder, capsys: Capture, language: str
) -> None:
    """A party or a host that is not enrolled, a name that is taken: each has a warning; a taken name is not signed."""
    party.language = "ja" if language == "ja" else "en"
    unknown, taken = party.path("unknown.json"), party.path("taken.json")
    command = flags(unknown, party="party-9", host="host-9")
    shown = party.answer(capsys, *command, "--log", party.log)
    assert [row["code"] for row in shown["warnings"]] == ["run-party", "run-host"]
    assert shown["refused"] is None
    shown = party.answer(capsys, *flags(taken, run="run-1"), "--log", party.log, code=1)
    assert [row["code"] for row in shown["warnings"]] == ["run-known"]
    assert "declared already" in shown["refused"]
    command_2 = ("licence", "sign", taken, "--phrase", phrase_of(taken.read_bytes()))
    assert party.call(*command_2, "--key", party.key("party-1"), "--log", party.log) == 1
    assert "declared already" in capsys.readouterr().err


def test_every_field_of_a_declaration_is_in_its_words(party: KeyHolder, capsys: Capture) -> None:
    """Changing any one field of a declaration changes what is shown."""
    base = factory.run_declared()
    changes: dict[str, Any] = {
        "effective": T0.plus(1),
        "run": "run-2",
        "party": "party-2",
        "site": "site-2",
        "jurisdictions": ("JP", "US"),
        "purpose": "another",
        "lineage": Lineage(scratch=False, parents=(PARENT,)),
        "chips": (ChipCount(chip="A", count=1),),
        "hosts": ("host-2",),
        "planned_flop": "1000000000001",
        "planned_flop_hardware": "1000000000001",
        "post_training": True,
        "period": Span(start=T0, end=T0.plus(86_401)),
    }
    assert set(changes) == {f.name for f in msgspec.structs.fields(RunDeclared)} - {"crit"}
    both = Lineage(scratch=True, parents=(PARENT,))
    facts = [base, msgspec.structs.replace(base, lineage=both)]
    facts += [msgspec.structs.replace(base, **{n: v}) for n, v in changes.items()]
    pages, path = set(), party.path("run.json")
    for fact in facts:
        path.write_bytes(make_payload(fact))
        says = party.answer(capsys, "show", path)["says"]
        pages.add(json.dumps({k: v for k, v in says.items() if k not in ("digest", "phrase")}))
    assert len(pages) == len(facts)
