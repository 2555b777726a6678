"""The treaty's emergency change as the documents show it: at once, for thirty days, gone without approval."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from sekisho.model.instants import parse_date_or_instant
from sekisho.model.wire import canonical
from sekisho.rules import decide, pack_bytes, parse_request
from sekisho.rules.pack import Pack
from sekisho.rules.pack_reader import parse_pack

PAGE = Path(__file__).parents[2] / "docs" / "packs" / "treaty-2511.md"
_RUN = canonical(
    {
        "id": "r",
        "origin": "scratch",
        "planned_flop": "500000000000000000000000",
        "jurisdictions": ["JP"],
        "cluster": {"networked": True, "chips": [{"chip": "NVIDIA H100-SXM5-80GB", "count": 8}]},
    }
)


@pytest.fixture(scope="module")
def emergency() -> Pack:
    """The overlay of the page, pinned to the treaty pack that ships."""
    found = re.search(
        r"^```yaml\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    assert found is not None
    digest = hashlib.sha256(pack_bytes("treaty-2511")).hexdigest()
    return parse_pack(found.group(1).replace("PUT-THE-DIGEST-HERE", digest), "emergency.yaml")


@pytest.mark.parametrize(
    ("day", "decision", "rules"),
    [
        ("2026-09-30", "licence", ["treaty-monitored-training"]),
        (
            "2026-10-01",
            "deny",
            ["treaty-strict-training", "treaty-monitored-training", "treaty-emergency-approval"],
        ),
        (
            "2026-10-30",
            "deny",
            ["treaty-strict-training", "treaty-monitored-training", "treaty-emergency-approval"],
        ),
        ("2026-10-31", "licence", ["treaty-monitored-training"]),
    ],
    ids=["the day before", "the first day", "the thirtieth day", "lapsed"],
)
def test_an_emergency_threshold_lapses_after_thirty_days(
    emergency: Pack, day: str, decision: str, rules: list[str]
) -> None:
    """A run of 5e23 needs approval, is prohibited for thirty days, and needs approval again."""
    answer = decide(parse_request(_RUN), emergency, parse_date_or_instant(day))
    assert (answer.decision, [rule.id for rule in answer.rules]) == (decision, rules)


def test_the_council_is_told_until_when_to_approve(emergency: Pack) -> None:
    """The duty beside the change has a deadline of thirty days."""
    rule = next(rule for rule in emergency.rules if rule.id == "treaty-emergency-approval")
    deadline = rule.duties[0].deadline
    assert deadline is not None
    assert (deadline.days, deadline.direction) == (30, "after")
    status = rule.status_at(parse_date_or_instant("2026-10-01"))
    assert status is not None
    assert status.end == parse_date_or_instant("2026-10-31")
