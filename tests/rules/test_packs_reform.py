"""The reform overlay: pinned to its base, small, and without a word about the days before it starts."""

from __future__ import annotations

import hashlib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sekisho.model.instants import parse_date_or_instant
from sekisho.model.wire import canonical
from sekisho.rules import decide, load_pack, pack_bytes, parse_request
from sekisho.rules.pack import Reading

REFORM = "us-diffusion-tightened"
STARTS = parse_date_or_instant("2027-01-01")
_DAYS = ["2022-10-08", "2023-12-01", "2025-01-20", "2025-06-01", "2026-02-01", "2026-12-31"]
_PLACES = st.sampled_from([None, "BR", "JP", "CN", "AE", "VN", "US", "SG", "MO"])
_READINGS: st.SearchStrategy[Reading] = st.sampled_from(["enforced", "codified", "announced"])


def test_the_overlay_is_pinned_to_the_base_that_ships() -> None:
    """Where us-ear has changed: read what changed, then write its new digest in the line `over:` of the overlay."""
    text = pack_bytes(REFORM).decode("utf-8")
    at_hand = hashlib.sha256(pack_bytes("us-ear")).hexdigest()
    stale = f"{REFORM}.yaml is laid over another us-ear; the one that ships has sha256: {at_hand}"
    assert f"sha256: {at_hand}" in text, stale


def test_the_reform_is_a_small_diff() -> None:
    """Fewer than eighty lines over a base of many hundred."""
    assert len(pack_bytes(REFORM).splitlines()) < 80


def test_the_reform_tightens_what_was_proposed() -> None:
    """A lower licence-free amount, more for states with agreements, a figure for the licence load; all marked O."""
    base, reform = load_pack("us-ear"), load_pack(REFORM)
    before, after = (pack.parameters["lpp-cap"].at(STARTS) for pack in (base, reform))
    assert before is not None
    assert after is not None
    assert (before.value, after.value) == (26_900_000, 500 * 15_832)
    before, after = (
        pack.parameters["country-allocation-assured"].at(STARTS) for pack in (base, reform)
    )
    assert before is not None
    assert after is not None
    assert (before.value, after.value) == (1_580_000_000, 3_160_000_000)
    before, after = (
        pack.parameters["licences-per-officer-year"].at(STARTS) for pack in (base, reform)
    )
    assert before is not None
    assert after is not None
    assert (before.value, after.value) == (300, 150)
    added = [
        entry for p in reform.parameters.values() for entry in p.values if entry.start == STARTS
    ]
    assert {entry.mark for entry in added if entry.source in ("proposals", "example")} == {"O"}


def test_the_framework_is_enforced_in_the_reform_alone() -> None:
    """What is codified in the base from 2025 acts in the reform from its first day, and not the day before."""
    base, reform = load_pack("us-ear"), load_pack(REFORM)
    framework = [rule for rule in reform.rules if _enforced_by_reform(rule.status_at(STARTS))]
    assert [rule.id for rule in framework] == [
        "diffusion-tier-1",
        "diffusion-tier-2",
        "diffusion-tier-3",
        "diffusion-weights",
        "diffusion-training-site",
        "red-flag-28",
    ]
    eve = parse_date_or_instant("2026-12-31")
    codified = {rule.id: rule for rule in base.rules}
    for rule in framework:
        for status in (codified[rule.id].status_at(STARTS), rule.status_at(eve)):
            assert status is not None
            assert (status.word, status.acts) == ("codified", False)


def _enforced_by_reform(status: Any) -> bool:
    return status is not None and status.source == "example" and status.acts


@given(
    st.sampled_from(_DAYS),
    _PLACES,
    _PLACES,
    st.sampled_from(["H100 SXM5", "H20", "RTX 4090", "A10", "unheard of"]),
    st.sampled_from([None, 1, 499, 500, 501, 2000]),
    _READINGS,
)
def test_a_reform_of_the_future_changes_no_earlier_answer(
    day: str,
    destination: str | None,
    seat: str | None,
    chip: str,
    count: int | None,
    reading: Reading,
) -> None:
    """Before its first day the overlay says what its base says: word, rules, exceptions and missing facts."""
    asked: dict[str, Any] = {
        "kind": "transfer",
        "id": "t",
        "item": {"chip": chip},
        "count": count,
        "destination": destination,
        "origin": "DE",
        "consignee": {"country": destination, "headquarters": seat},
    }
    told = {name: value for name, value in asked.items() if value is not None}
    told["consignee"] = {n: v for n, v in asked["consignee"].items() if v is not None}
    request, at = parse_request(canonical(told)), parse_date_or_instant(day)
    base, reform = (
        decide(request, load_pack(name), at, reading=reading) for name in ("us-ear", REFORM)
    )
    assert (reform.decision, reform.rules, reform.missing, reform.exceptions, reform.trace) == (
        base.decision,
        base.rules,
        base.missing,
        base.exceptions,
        base.trace,
    )
