"""The generated workloads that the tiers are held against, made once."""

from __future__ import annotations

import pytest

from sekisho.metering.tier_accuracy import TierAccuracy, generate_corpus, measure_tiers
from sekisho.metering.workloads import Trace


@pytest.fixture(scope="session")
def corpus() -> tuple[Trace, ...]:
    """Two traces of every family, two minutes each."""
    return generate_corpus()


@pytest.fixture(scope="session")
def measured(corpus: tuple[Trace, ...]) -> tuple[TierAccuracy, ...]:
    """All tiers under all readings."""
    return measure_tiers(corpus)
