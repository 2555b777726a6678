"""Attack: a pack that is well formed and makes its own checks run for hours."""

from __future__ import annotations

import time

from sekisho.model.instants import parse_date_or_instant
from sekisho.rules.review import check_pack
from tests.written_packs import FULL, read

NOW = parse_date_or_instant("2026-05-01")
RULE = FULL[FULL.index("  - id: thirsty") : FULL.index("  - id: modified")]


def _riddles(rules: int, parts: int) -> str:
    """Rules of many alternatives each, all to be compared with stricter ones."""
    alternatives = ", ".join(
        f"{{all: [{{quantity: cluster_tpp, op: '>', value: {n}, unit: TPP}}, "
        f"{{quantity: cluster_tpp, op: '!=', value: {n + 1}, unit: TPP}}]}}"
        for n in range(parts)
    )
    made = ""
    for n in range(rules):
        words = ("deny", "report")[n % 2]
        head = RULE[: RULE.index("    when:")].replace("thirsty", f"r{n}")
        when = f"    when: {{all: [{{any: [{alternatives}]}}, {{any: [{alternatives}]}}]}}\n"
        made += f"{head}{when}    outcome: {words}\n    duty: x\n    duty-ja: x\n"
    return FULL.replace(RULE, RULE + made)


def test_the_checks_end_whatever_the_pack() -> None:
    """Work is bounded for the whole pack; what was not proved by then is not reported."""
    pack = read(_riddles(rules=50, parts=18))
    began = time.monotonic()
    found = check_pack(pack, NOW)
    assert time.monotonic() - began < 60
    assert not [problem for problem in found if problem.severity == "error"]


def test_a_pack_of_too_many_days_is_told() -> None:
    """Its rules are not compared, and the reader hears so."""
    values = "".join(
        f"      - {{from: 20{year}-{month:02}-{day:02}, value: 0.5, source: law, cite: x, mark: P}}\n"
        for year in range(23, 26)
        for month in range(1, 13)
        for day in range(1, 28)
    )
    text = FULL.replace("definitions:\n", values + "definitions:\n", 1)
    told = [p.what for p in check_pack(read(text), NOW)]
    assert any("its rules were not compared" in what for what in told)
