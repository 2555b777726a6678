"""The guide's table of limits is the code's."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from sekisho.adapters.telemetry.limits import LIMITS

GUIDE = Path(__file__).parents[3] / "docs" / "guide" / "telemetry.md"
ROW = re.compile(r"^\| `(\w+)` \| (\d+) \| rules? [\d, ]+ \| .{10,} \|$", re.MULTILINE)


def test_the_guide_says_every_limit_with_its_number_in_order() -> None:
    """None is missing, none is left over, none differs; each names its rules and a reason."""
    told = [(name, int(number)) for name, number in ROW.findall(GUIDE.read_text(encoding="utf-8"))]
    assert told == list(msgspec.structs.asdict(LIMITS).items())


def test_the_guide_numbers_its_rules_without_a_hole() -> None:
    """A limit's row points to a rule that is there."""
    text = GUIDE.read_text(encoding="utf-8")
    rules = [int(n) for n in re.findall(r"^(\d+)\. \*\*", text, re.MULTILINE)]
    assert rules == list(range(1, len(rules) + 1))
    named = {int(n) for row in re.findall(r"\| rules? ([\d, ]+) \|", text) for n in row.split(",")}
    assert named <= set(rules)
