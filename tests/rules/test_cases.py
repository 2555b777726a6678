"""Cases that a lawyer can read: each file in tests/cases is decided and compared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from sekisho.model.instants import parse_date_or_instant
from sekisho.model.wire import JsonValue, from_json
from sekisho.rules import RunRequest, decide, load_pack

FOLDER = Path(__file__).parents[1] / "cases"
SMALL_CLUSTER: JsonValue = {
    "networked": True,
    "chips": [{"chip": "NVIDIA H100-SXM5-80GB", "count": 8}],
}


def every_case() -> list[Any]:
    """Each case with the pack and date of its file."""
    found = []
    for path in sorted(FOLDER.glob("*.yaml")):
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        for case in document["cases"]:
            merged = {"pack": document["pack"], "at": document["at"], **case}
            found.append(pytest.param(merged, id=f"{path.stem}: {case['name']}"))
    return found


@pytest.mark.parametrize("case", every_case())
def test_case_is_decided_as_the_lawyer_expects(case: dict[str, Any]) -> None:
    """The decision, the rules that bear on it and the missing facts are those of the case."""
    defaults: dict[str, JsonValue] = {
        "id": "case",
        "jurisdictions": ["JP"],
        "cluster": SMALL_CLUSTER,
    }
    request = from_json(RunRequest, {**defaults, **case["request"]})
    as_of = parse_date_or_instant(case["as_of"]) if "as_of" in case else None
    answer = decide(request, load_pack(case["pack"]), parse_date_or_instant(case["at"]), as_of)
    assert answer.decision == case["decision"]
    assert [rule.id for rule in answer.rules] == case["rules"]
    assert sorted(answer.missing) == sorted(case.get("missing", []))
