"""A licence's terms beside those before them, and beside what was applied for. Pure."""

from __future__ import annotations

from typing import Final, get_args

from sekisho.licensing.states import LicenceState
from sekisho.model.amounts import parse_flop
from sekisho.model.statements import ApplicationFiled, LicenceAmended, LicenceIssued, Mode

__all__ = ["MODES", "allows_no_more", "grants_more", "keeps_devices", "within_application"]

MODES: Final[tuple[str, ...]] = get_args(Mode)
"""The ladder of enforcement, from what stops nothing to what stops at once."""


def within_application(
    filed: ApplicationFiled,
    terms: LicenceIssued | LicenceAmended,
    run: str,
    licensee: str,
    amends: str = "",
) -> list[str]:
    """Where terms go beyond what was applied for: the licence may give less, never more and nothing else."""
    asked_leaf = filed.amends.leaf if filed.amends is not None else ""
    rules = (
        (filed.run == run, f"is for run {run}, the application is for {filed.run}"),
        (filed.party == licensee, f"is for {licensee}, {filed.party} applied"),
        (asked_leaf == amends, "grants an application for another licence or amendment"),
        (set(terms.hosts) <= set(filed.hosts), "names hosts that were not applied for"),
        (
            parse_flop(terms.budget_flop) <= parse_flop(filed.budget_flop),
            f"has a budget above the {filed.budget_flop} FLOP applied for",
        ),
        (
            terms.period.end <= filed.period.end and filed.period.start <= terms.period.start,
            f"lies outside the period applied for, {filed.period.start} to {filed.period.end}",
        ),
        (
            MODES.index(terms.mode) >= MODES.index(filed.mode),
            f"is of mode {terms.mode}, weaker than the {filed.mode} applied for",
        ),
    )
    return [problem for is_right, problem in rules if not is_right]


def grants_more(state: LicenceState, fact: LicenceAmended) -> bool:
    """Whether an amendment gives anything that the version before did not: then it needs approvals.

    What only restricts needs none, so that nobody waits for an applicant to have less (protocol section 8's asymmetry).
    """
    return fact.lifts is not None or not allows_no_more(fact, state.licence)


def keeps_devices(state: LicenceState, fact: LicenceAmended) -> bool:
    """Whether an amendment leaves hosts and devices as they were fixed, whatever was enrolled since."""
    terms = state.licence
    return (fact.hosts, fact.devices, fact.devices_root) == (
        terms.hosts,
        terms.devices,
        terms.devices_root,
    )


def allows_no_more(fact: LicenceAmended, licence: LicenceIssued) -> bool:
    """Whether what stands allows at least all that the amendment allows."""
    split = {share.share: share for share in licence.shares}
    return (
        set(fact.hosts) <= set(licence.hosts)
        and set(fact.sites) <= set(licence.sites)
        and parse_flop(fact.budget_flop) <= parse_flop(licence.budget_flop)
        and licence.period.start <= fact.period.start
        and fact.period.end <= licence.period.end
        and fact.lease.interval_s <= licence.lease.interval_s
        and fact.lease.grace_s <= licence.lease.grace_s
        and fact.lease.quantum_s <= licence.lease.quantum_s
        and MODES.index(fact.mode) >= MODES.index(licence.mode)
        and bool(fact.shares) == bool(licence.shares)
        and all(
            share.share in split
            and parse_flop(share.budget_flop) <= parse_flop(split[share.share].budget_flop)
            and share.issuer == split[share.share].issuer
            and share.sites == split[share.share].sites
            for share in fact.shares
        )
    )
