"""Shares of MIG slices, by profile and chip."""

from __future__ import annotations

import pytest

from sekisho.adapters.telemetry.mig_shares import MigShare, mig_share


@pytest.mark.parametrize(
    ("profile", "chip", "share"),
    [
        ("1g.10gb", "NVIDIA H100 80GB HBM3", (1, 7)),
        ("MIG 3g.40gb", "NVIDIA H100 80GB HBM3", (3, 7)),
        ("1c.3g.40gb", "NVIDIA A100-SXM4-80GB", (1, 7)),
        ("1g.12gb+me", "NVIDIA H200", (1, 7)),
        ("2g.12gb", "NVIDIA A30", (2, 4)),
        ("4g.96gb", "NVIDIA RTX PRO 6000 Blackwell Server Edition", (4, 4)),
        ("2g.48gb", "NVIDIA RTX PRO 5000 Blackwell", (2, 2)),
    ],
)
def test_profile_is_so_many_slices_of_its_chip(
    profile: str, chip: str, share: tuple[int, int]
) -> None:
    """The compute slices in its name, of those that the chip has."""
    assert mig_share(profile, chip) == MigShare(*share)


@pytest.mark.parametrize(
    ("profile", "chip"),
    [
        ("", "H100"),
        ("whole", "H100"),
        ("11g.10gb", "H100"),
        ("8g.80gb", "H100"),
        ("1g.10gb or more", "H100"),
        ("7g.24gb", "NVIDIA A30"),
        ("1g.10gb", ""),
        ("１g.10gb", "H100"),
    ],
)
def test_what_is_no_profile_of_the_chip_is_no_share(profile: str, chip: str) -> None:
    """Nobody guesses: a wrong share would hide chips."""
    assert mig_share(profile, chip) is None
