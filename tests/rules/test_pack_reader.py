"""Reading a rule pack: every wrong pack is refused with file, line and remedy."""

from __future__ import annotations

import hashlib

import pytest

from sekisho.model.errors import InvalidInput
from sekisho.model.instants import parse_date_or_instant
from sekisho.rules import load_pack, pack_bytes, pack_names, parse_pack

PACK = """\
pack: probe
version: "3"
title: A probe
note: for tests
sources:
  law: {title: A law, where: nowhere, mark: P}
parameters:
  limit:
    unit: FLOP
    means: a limit
    values:
      - {from: 2025-01-01, to: 2026-01-01, value: 1e24, source: law, cite: Art. 1, mark: P}
      - {from: 2026-01-01, value: 1e25, source: law, cite: Art. 1, mark: P}
rules:
  - id: too-much
    cite: Art. 1
    binding: everybody
    status:
      - {from: 2025-01-01, status: in force, acts: true, source: law, cite: Art. 9, mark: P}
    when:
      all:
        - {quantity: run_flop, op: ">", parameter: limit, unit: FLOP}
        - not: {quantity: post_training, op: is, value: true}
    outcome: deny
    duty: stop
"""


def test_a_pack_is_known_by_name_version_and_the_sha256_of_its_bytes() -> None:
    """A comment more is another pack."""
    pack = parse_pack(PACK, "p.yaml")
    assert (pack.name, pack.version) == ("probe", "3")
    assert pack.sha256 == hashlib.sha256(PACK.encode()).hexdigest()
    assert parse_pack(PACK.encode(), "p.yaml") == pack
    assert parse_pack(PACK + "# more\n", "p.yaml").sha256 != pack.sha256
    assert pack.reference.sha256 == pack.sha256


def test_a_parameter_has_the_value_of_the_day() -> None:
    """Half-open periods: the new value begins with its first day."""
    limit = parse_pack(PACK, "p.yaml").parameters["limit"]
    days = ["2024-12-31", "2025-01-01", "2025-12-31", "2026-01-01"]
    values = [limit.at(parse_date_or_instant(day)) for day in days]
    assert [None if value is None else value.value for value in values] == [
        None,
        10**24,
        10**24,
        10**25,
    ]


def test_a_null_value_ends_a_parameter() -> None:
    """The entry is there and says that there is none."""
    text = PACK.replace("value: 1e25", "value: null")
    found = parse_pack(text, "p.yaml").parameters["limit"].at(parse_date_or_instant("2026-05-01"))
    assert found is not None
    assert found.value is None


def test_a_value_recorded_later_is_unknown_before() -> None:
    """As of the day before it was recorded the earlier value is all that is known."""
    text = PACK.replace("to: 2026-01-01, ", "").replace(
        "{from: 2026-01-01, value", "{from: 2026-01-01, recorded: 2026-03-01, value"
    )
    limit = parse_pack(text, "p.yaml").parameters["limit"]
    at = parse_date_or_instant("2026-02-01")
    before, after = (
        limit.at(at, parse_date_or_instant(day)) for day in ("2026-02-28", "2026-03-01")
    )
    assert before is not None
    assert after is not None
    assert (before.value, after.value) == (10**24, 10**25)


@pytest.mark.parametrize(
    ("old", "new", "line", "what"),
    [
        ("version:", "verison:", 2, "unknown field 'verison'"),
        ("title: A probe\n", "", 1, "'title' is missing"),
        ("title: A probe", "title: A probe\ntitle: B", 4, "stands twice"),
        ("means: a limit", "means: a limit\n    menas: x", 11, "unknown field 'menas'"),
        ("to: 2026-01-01", "to: 2026-02-30", 12, "not a date"),
        ("to: 2026-01-01", "to: 2024-01-01", 12, "ends before it begins"),
        ("to: 2026-01-01", "to: 2026-06-01", 13, "overlaps"),
        ("{from: 2026-01-01", "{from: 2024-06-01", 13, "does not begin after"),
        ("value: 1e24", "value: 1.5", 12, "whole number"),
        ("value: 1e24", "value: -1", 12, "non-negative"),
        ("value: 1e24", "value: .nan", 12, "non-negative"),
        (
            "source: law, cite: Art. 1, mark: P}\n      -",
            "source: low, cite: x, mark: P}\n      -",
            12,
            "'low'",
        ),
        ("cite: Art. 1, mark: P}\n      -", "cite: x, mark: R}\n      -", 12, "recalled value"),
        ("cite: Art. 1, mark: P}\n      -", "cite: x, mark: X}\n      -", 12, "'X' is not known"),
        ("    unit: FLOP", "    unit: FLOPS", 9, "'FLOPS' is not known"),
        ("limit, unit: FLOP", "limit, unit: GB", 22, "'GB' is not known"),
        ("    unit: FLOP", "    unit: GB", 22, "limit is in GB"),
        ("parameter: limit, ", "parameter: limt, ", 22, "'limt' is not known"),
        ("parameter: limit, ", "parameter: limit, value: 1, ", 22, "either a value or a parameter"),
        (", parameter: limit, unit", ", unit", 22, "either a value or a parameter"),
        ("limit, unit: FLOP}", "limit}", 22, "needs a unit"),
        ('op: ">"', 'op: "=>"', 22, "'=>' is not known"),
        ("run_flop", "planned", 22, "'planned' is not known"),
        ("op: is, value: true", "op: is, value: yes", 23, "neither true nor false"),
        ("op: is, value: true", 'op: ">", value: true', 23, "'>' is not known"),
        ("op: is, value: true", "op: is, value: true, unit: GB", 23, "has no unit"),
        ("op: is, value: true", "op: is", 23, "'value' is missing"),
        ("        - not:", "        - nor:", 23, "unknown field 'nor'"),
        ("outcome: deny", "outcome: allow", 24, "'allow' is not known"),
        ("acts: true", "acts: maybe", 19, "neither true nor false"),
        ("status: in force", "status: soon", 19, "'soon' is not known"),
        ("id: too-much", "id: Too Much", 15, "does not fit here"),
        ("  limit:\n", "  Limit!:\n", 9, "does not fit here"),
        ("duty: stop\n", "duty: stop\n  - []\n", 26, "is not a mapping"),
    ],
)
def test_a_wrong_pack_is_refused_with_file_line_and_remedy(
    old: str, new: str, line: int, what: str
) -> None:
    """One defect at a time, each named where it stands."""
    assert old in PACK
    with pytest.raises(InvalidInput) as caught:
        parse_pack(PACK.replace(old, new, 1), "p.yaml")
    assert what in caught.value.message
    assert caught.value.path == f"p.yaml:{line}"
    assert caught.value.remedy


def test_two_rules_with_one_id_are_refused() -> None:
    """A decision names rules by id."""
    second = PACK[PACK.index("  - id:") :]
    with pytest.raises(InvalidInput, match="stands twice"):
        parse_pack(PACK + second, "p.yaml")


def test_a_recalled_value_enters_when_it_says_so() -> None:
    """R with the words `to be verified`."""
    text = PACK.replace(
        "cite: Art. 1, mark: P}\n      -", "cite: x, mark: R, note: to be verified}\n      -"
    )
    assert parse_pack(text, "p.yaml").parameters["limit"].values[0].mark == "R"


def test_every_shipped_pack_is_read_and_named_after_its_file() -> None:
    """And its identity is that of the shipped bytes."""
    assert "loop-2026" in pack_names()
    for name in pack_names():
        pack = load_pack(name)
        assert pack.name == name
        assert pack.sha256 == hashlib.sha256(pack_bytes(name)).hexdigest()


def test_an_unknown_pack_name_is_refused() -> None:
    """Also one that walks out of the folder."""
    for name in ("nope", "../packs/loop-2026", ""):
        with pytest.raises(InvalidInput, match="no rule pack"):
            load_pack(name)


def test_the_loop_pack_carries_the_thresholds_of_its_sources() -> None:
    """The numbers of the treaty draft, the EU and California on a day of 2026."""
    at = parse_date_or_instant("2026-09-01")
    values = {name: parameter.at(at) for name, parameter in load_pack().parameters.items()}
    assert {name: value.value for name, value in values.items() if value is not None} == {
        "treaty-strict": 10**24,
        "treaty-strict-post-training": 10**23,
        "treaty-monitored": 10**22,
        "treaty-cluster-fp16": 15_824,
        "treaty-cluster-tpp": 253_184,
        "treaty-cluster-memory": 1_280,
        "eu-systemic-risk": 10**25,
        "ca-frontier": 10**26,
    }
