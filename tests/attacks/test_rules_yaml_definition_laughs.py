"""Attack: definitions that each use the one above twice, so that unfolding them doubles sixty times."""

from __future__ import annotations

import time

from sekisho.model.instants import parse_date_or_instant
from sekisho.rules import decide
from sekisho.rules.requests import ItemAsked, TransferRequest
from sekisho.rules.review import check_pack
from tests.written_packs import FULL, read

AT = parse_date_or_instant("2026-05-01")


def _laughing(levels: int) -> str:
    """Neither all true nor all false: every level asks the level below in two ways."""
    entries = []
    for n in range(levels):
        below = f"{{definition: {f'd{n - 1}' if n else 'dense'}, is: true}}"
        entries.append(
            f"  d{n}:\n    means: x\n    means-ja: x\n    versions:\n"
            f"      - {{from: 2022-01-01, when: {{any: [{{all: [{below}, {below}]}}, "
            f"{{not: {below}}}]}}, source: law, cite: x, mark: P}}\n"
        )
    text = FULL.replace("rules:\n  - id: to", "".join(entries) + "rules:\n  - id: to", 1)
    return text.replace("definition: controlled, is: true", f"definition: d{levels - 1}, is: true")


def test_definitions_upon_definitions_are_read_decided_and_checked_in_bounded_time() -> None:
    """Each is looked at once; the checks that would unfold them give up, and then say nothing."""
    began = time.monotonic()
    pack = read(_laughing(60))
    request = TransferRequest(kind="transfer", id="t", item=ItemAsked(form="ic"), destination="CN")
    assert decide(request, pack, AT).decision in ("unsure", "licence", "permit")
    assert not [p for p in check_pack(pack, AT) if p.severity == "error"]
    assert time.monotonic() - began < 60
