"""Where a pack of its own and the first pack, loop-2026, speak of the same law they say the same."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sekisho.model.instants import parse_date_or_instant
from sekisho.model.wire import canonical
from sekisho.rules import Decision, decide, load_pack, parse_request

AT = parse_date_or_instant("2026-08-15")
_EDGES = [value + step for value in (10**22, 10**23, 10**24, 10**25, 10**26) for step in (-1, 0, 1)]
AMOUNTS = st.sampled_from(_EDGES) | st.integers(0, 10**28)
TOLD = st.none() | AMOUNTS.map(str)


@st.composite
def runs(draw: st.DrawFn) -> dict[str, Any]:
    """Runs of every origin, with facts left out here and there, on clusters small and large."""
    origin = draw(st.sampled_from([None, "scratch", "known", "unknown"]))
    run: dict[str, Any] = {"id": "r", "origin": origin, "planned_flop": draw(TOLD)}
    if origin != "scratch":
        whole, part = draw(st.none() | AMOUNTS), draw(st.none() | AMOUNTS)
        if whole is not None and part is not None:
            part = min(whole, part)
        run["lineage_flop"] = None if whole is None else str(whole)
        run["lineage_post_training_flop"] = None if part is None else str(part)
        run["post_training"] = draw(st.sampled_from([None, True, False]))
    if draw(st.booleans()):
        chip = draw(
            st.sampled_from(["NVIDIA H100-SXM5-80GB", "NVIDIA A100-SXM4-80GB", "unheard of"])
        )
        chips = [{"chip": chip, "count": draw(st.sampled_from([8, 16, 17, 64]))}]
        joined = draw(st.sampled_from([None, True, False]))
        run["cluster"] = {"chips": chips, "networked": joined}
        if joined is None:
            del run["cluster"]["networked"]
    return {name: value for name, value in run.items() if value is not None}


def _decided(run: dict[str, Any], pack: str) -> Decision:
    return decide(parse_request(canonical(run)), load_pack(pack), AT)


@given(runs())
def test_the_treaty_is_the_same_in_both_packs(run: dict[str, Any]) -> None:
    """Outside the reach of any law both give the same answer, by rules of the same names, for the same reasons."""
    run["jurisdictions"] = ["JP"]
    first, own = _decided(run, "loop-2026"), _decided(run, "treaty-2511")
    assert own.decision == first.decision
    assert [rule.id for rule in own.rules] == [rule.id for rule in first.rules]
    assert set(own.missing) == set(first.missing)


@given(AMOUNTS, st.sampled_from([["EU"], ["FR", "JP"], ["JP"]]))
def test_systemic_risk_is_the_same_for_a_model_from_scratch(
    planned: int, places: list[str]
) -> None:
    """Nobody else's model is changed, so the own pack asks no more than the first."""
    run = {"id": "r", "origin": "scratch", "planned_flop": str(planned), "jurisdictions": places}
    assert _both(run, "eu-ai-act", "eu-systemic-risk") in ((True, True), (False, False))


@given(AMOUNTS, st.booleans(), st.sampled_from([["US-CA"], ["US", "US-NY"], ["JP"]]))
def test_california_is_the_same_in_both_packs(
    planned: int, is_scratch: bool, places: list[str]
) -> None:
    """The frontier developer's rule holds in both or in neither."""
    origin = {"origin": "scratch"} if is_scratch else {"origin": "known", "lineage_flop": "7"}
    run = {"id": "r", "planned_flop": str(planned), "jurisdictions": places, **origin}
    found = _both(run, "us-ca-sb53", "ca-frontier-developer")
    assert found in ((True, True), (False, False))


def _both(run: dict[str, Any], pack: str, rule: str) -> tuple[bool, bool]:
    """Whether the rule holds in the first pack, and in the pack of its own."""
    held = [
        any(trace.rule == rule and trace.truth == "true" for trace in _decided(run, name).trace)
        for name in ("loop-2026", pack)
    ]
    return held[0], held[1]
