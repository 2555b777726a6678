"""A licence's terms beside those before them, and beside what was applied for. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, get_args

from sekisho.licensing.device_set import root_of
from sekisho.licensing.states import LicenceState
from sekisho.model.amounts import parse_flop
from sekisho.model.statements import (
    ApplicationFiled,
    HostEnrolled,
    LicenceAmended,
    LicenceIssued,
    Mode,
)

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


def grants_more(
    state: LicenceState, fact: LicenceAmended, hosts: Mapping[str, HostEnrolled]
) -> bool:
    """Whether an amendment gives anything that the version before did not: then it needs approvals.

    What only restricts needs none, so that nobody waits for an applicant to have less (protocol section 8's asymmetry).
    `hosts` are those enrolled when it comes: a host that enrolled other chips since must not bring them along.
    """
    is_less = allows_no_more(fact, state.licence) and _brings_no_chips(state, fact, hosts)
    return fact.lifts is not None or not is_less


def keeps_devices(state: LicenceState, fact: LicenceAmended) -> bool:
    """Whether an amendment leaves hosts and devices as they were fixed, whatever was enrolled since."""
    terms = state.licence
    return (fact.hosts, fact.devices, fact.devices_root) == (
        terms.hosts,
        terms.devices,
        terms.devices_root,
    )


def _brings_no_chips(
    state: LicenceState, fact: LicenceAmended, hosts: Mapping[str, HostEnrolled]
) -> bool:
    """Whether every chip of an amendment's set was in the set before.

    Fewer hosts have fewer chips only where those that the licence fixed are the ones enrolled still. Where a host of
    the set has left or enrolled others since, nobody can say so, and the amendment needs approvals.
    """
    if keeps_devices(state, fact):
        return True
    terms = state.licence
    if not set(fact.hosts) < set(terms.hosts) or any(name not in hosts for name in terms.hosts):
        return False
    fixed, kept = _devices_of(terms.hosts, hosts), _devices_of(fact.hosts, hosts)
    return root_of(fixed) == terms.devices_root and (len(kept), root_of(kept)) == (
        fact.devices,
        fact.devices_root,
    )


def _devices_of(names: tuple[str, ...], hosts: Mapping[str, HostEnrolled]) -> tuple[str, ...]:
    return tuple(device.device for name in names for device in hosts[name].devices)


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
        and _lets_out_no_more(fact, licence)
        and bool(fact.shares) == bool(licence.shares)
        and all(
            share.share in split
            and parse_flop(share.budget_flop) <= parse_flop(split[share.share].budget_flop)
            and share.issuer == split[share.share].issuer
            and share.sites == split[share.share].sites
            for share in fact.shares
        )
    )


def _lets_out_no_more(fact: LicenceAmended, licence: LicenceIssued) -> bool:
    """What an amendment does not name stays, so it cannot lift the limit, only move it."""
    asked, stands = fact.egress_bytes_per_s, licence.egress_bytes_per_s
    return asked is None or stands is None or asked <= stands
