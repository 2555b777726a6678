"""`sekisho meter accuracy`: every figure with its split and n, and what they do not prove."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest

from sekisho.cli import main
from sekisho.metering import tier_accuracy
from sekisho.settings import Settings

SETTINGS = Settings(home=Path("/nowhere"), trust_file=Path("/nowhere/trust.json"))


def test_accuracy_on_runs_gives_coverage_with_its_interval(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """K of n runs and groups, widths, and the caution, for people and for programs."""
    assert main.call(["meter", "accuracy", "--json"], SETTINGS) == 0
    by_system, by_scale, _ = json.loads(capsys.readouterr().out)
    assert by_system["coverage"]["held"] == by_system["coverage"]["of"] == 15
    assert by_system["group_coverage"]["of"] == 5
    assert by_scale["median_error"] <= 0.15
    assert by_scale["widest"] <= 3
    assert "prove little" in by_scale["caution"]
    assert main.call(["meter", "accuracy"], SETTINGS) == 0
    printed = capsys.readouterr().out
    assert "interval holds 15 of 15 (95 %: 78.2% to 100.0%)" in printed
    assert "whole groups 5 of 5 (95 %: 47.8% to 100.0%)" in printed
    assert "More would be proved by" in printed


def test_accuracy_on_generated_workloads_names_the_families_that_fail(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tier by tier, family by family, and that no device was recorded; a short trace of each is enough here."""
    short = partial(tier_accuracy.generate_corpus, seeds=(1,), seconds=30)
    monkeypatch.setattr(tier_accuracy, "generate_corpus", short)
    assert main.call(["meter", "accuracy", "--generated"], SETTINGS) == 0
    printed = capsys.readouterr().out
    assert (
        "tier 2, averaged, 10 s (generated workloads, no recorded device, n = 28, 28 families)"
        in printed
    )
    assert "fp64-products" in printed
    assert "No device was recorded" in printed
