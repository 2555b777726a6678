"""Charters to begin with, one per profile: who holds which power where nobody has decided otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant
from sekisho.model.statements import (
    CharterAdopted,
    CharterKey,
    CharterLog,
    CharterRegister,
    Constituency,
    Power,
    PowerGrant,
    Profile,
    QuorumPart,
    Recovery,
)

__all__ = ["constituencies_of", "draft_charter"]

_YEAR_S = 365 * 86_400

_Quorums: TypeAlias = dict[Power, tuple[tuple[str, int], ...]]

# power -> quorums (constituency, k). One company: those who watch stop alone, and release with management.
_INTERNAL: _Quorums = {
    "amend": (("oversight", 2), ("management", 1)),
    "pause": (("oversight", 2),),
    "resume": (("oversight", 1), ("management", 1)),
    "publish-agent": (("oversight", 1), ("operators", 1)),
    "declare-outage": (("oversight", 1), ("operators", 1)),
    "hold": (("oversight", 1),),
    "cap": (("oversight", 2),),
    "suspend-access": (("oversight", 2),),
    "publish-rules": (("oversight", 1), ("management", 1)),
    "publish-emergency": (("oversight", 1),),
    "issue-licence": (("oversight", 1), ("management", 1)),
    "enrol-hosts": (("operators", 1),),
    "enrol-parties": (("management", 1),),
    "grant-lease": (("operators", 1),),
    "keep-registers": (("operators", 1),),
    "publish-bundle": (("operators", 1),),
    "observe": (("oversight", 1),),
    "judge": (("oversight", 1),),
    "inspect": (("oversight", 1),),
    "adjudicate": (("oversight", 2),),
    "report-compromise": (("oversight", 1), ("operators", 1)),
    "register-chips": (("operators", 1),),
}
# A compute provider: its own officers hold; auditors whom its customers trust pause, release and amend with them, since
# what stops work for long must not be easier to forge than what lets it go (ADR 0028).
_PROVIDER: _Quorums = {
    "amend": (("provider", 2), ("auditors", 1)),
    "pause": (("provider", 2), ("auditors", 1)),
    "resume": (("provider", 2), ("auditors", 1)),
    "publish-agent": (("provider", 2), ("auditors", 1)),
    "declare-outage": (("provider", 1), ("auditors", 1)),
    "hold": (("provider", 1),),
    "cap": (("provider", 2), ("auditors", 1)),
    "suspend-access": (("provider", 2), ("auditors", 1)),
    "publish-rules": (("provider", 2), ("auditors", 1)),
    "publish-emergency": (("provider", 2),),
    "issue-licence": (("provider", 2),),
    "enrol-hosts": (("provider", 1), ("operators", 1)),
    "enrol-parties": (("provider", 1),),
    "grant-lease": (("operators", 1),),
    "keep-registers": (("operators", 1),),
    "publish-bundle": (("operators", 1),),
    "observe": (("auditors", 1),),
    "judge": (("auditors", 1),),
    "inspect": (("auditors", 1),),
    "adjudicate": (("provider", 1), ("auditors", 1)),
    "report-compromise": (("provider", 1), ("auditors", 1)),
    "register-chips": (("operators", 1),),
}
# A national authority: 3-of-5, verifiers 1-of-2, operators.
_AUTHORITY: _Quorums = {
    "amend": (("authority", 3), ("verifiers", 1)),
    "pause": (("authority", 3), ("verifiers", 1)),
    "resume": (("authority", 3), ("verifiers", 1)),
    "publish-agent": (("authority", 2), ("verifiers", 1)),
    "declare-outage": (("authority", 2), ("operators", 1)),
    "hold": (("authority", 2),),
    "cap": (("authority", 3), ("verifiers", 1)),
    "suspend-access": (("authority", 3), ("verifiers", 1)),
    "publish-rules": (("authority", 2),),
    "issue-licence": (("authority", 2),),
    "enrol-hosts": (("authority", 1), ("operators", 1)),
    "enrol-parties": (("authority", 1),),
    "grant-lease": (("operators", 1),),
    "keep-registers": (("operators", 1),),
    "publish-bundle": (("operators", 1),),
    "observe": (("verifiers", 1),),
    "judge": (("verifiers", 1),),
    "inspect": (("verifiers", 1),),
    "adjudicate": (("authority", 3),),
    "publish-emergency": (("authority", 1), ("verifiers", 1)),
    "report-compromise": (("authority", 1), ("verifiers", 1)),
    "register-chips": (("operators", 1),),
}
# Several states, 3 of whom decide; a secretariat that keeps the books; verifiers of their own.
_INTERNATIONAL: _Quorums = {
    "amend": (("states", 3), ("secretariat", 1), ("verifiers", 1)),
    "pause": (("states", 3), ("verifiers", 1)),
    "resume": (("states", 3), ("verifiers", 1)),
    "publish-agent": (("secretariat", 2), ("verifiers", 1)),
    "declare-outage": (("states", 2), ("secretariat", 1)),
    "hold": (("states", 1), ("secretariat", 1)),
    "cap": (("states", 3), ("verifiers", 1)),
    "suspend-access": (("states", 3), ("verifiers", 1)),
    "publish-rules": (("states", 3), ("secretariat", 1)),
    "publish-emergency": (("states", 2), ("secretariat", 1)),
    "issue-licence": (("states", 2), ("secretariat", 1)),
    "enrol-hosts": (("states", 1), ("operators", 1)),
    "enrol-parties": (("states", 1),),
    "grant-lease": (("operators", 1),),
    "keep-registers": (("secretariat", 1),),
    "publish-bundle": (("secretariat", 1),),
    "observe": (("verifiers", 1),),
    "judge": (("verifiers", 1),),
    "inspect": (("verifiers", 1),),
    "adjudicate": (("states", 2), ("verifiers", 1)),
    "report-compromise": (("secretariat", 1), ("verifiers", 1)),
    "register-chips": (("operators", 1),),
}
_PROFILES: dict[Profile, _Quorums] = {
    "internal": _INTERNAL,
    "provider": _PROVIDER,
    "authority": _AUTHORITY,
    "international": _INTERNATIONAL,
}
# Chip-hours that a constituency may hold in a quarter without the pause quorum: one day of 10,000 devices for those who
# stop their own, of 50,000 for those who stop others'. Figures to begin with, nobody's rule: founders set theirs.
_HELD: dict[Profile, int] = {
    "internal": 240_000,
    "provider": 240_000,
    "authority": 1_200_000,
    "international": 1_200_000,
}
_REGISTERED: tuple[Power, ...] = ("hold", "pause", "cap", "suspend-access", "resume")


def draft_charter(  # noqa: PLR0913  # a charter is what its founders decide, and these are their decisions
    *,
    profile: Profile,
    name: str,
    jurisdiction: str,
    constituencies: Mapping[str, Sequence[CharterKey]],
    log: CharterLog,
    now: Instant,
    orders_in_force_every_s: int = 60,
    halt_verdict_s: int = 3_600,
    recovery: Recovery | None = None,
) -> CharterAdopted:
    """Charter version 1 of a profile, for its founders to read, change and sign.

    Raises InvalidInput where a constituency that the profile asks for has no keys.
    """
    powers = _PROFILES[profile]
    asked = constituencies_of(profile)
    missing = [who for who in asked if not constituencies.get(who)]
    if missing:
        raise InvalidInput(
            f"the profile {profile} asks for keys of {', '.join(missing)}",
            path="constituencies",
            remedy=f"name keys for each of {', '.join(asked)}",
        )
    return CharterAdopted(
        effective=now,
        version=1,
        name=name,
        profile=profile,
        constituencies=tuple(
            Constituency(name=constituency, keys=tuple(keys))
            for constituency, keys in constituencies.items()
        ),
        powers=_grants(powers),
        log=log,
        registers=_registers(jurisdiction),
        expires=now.plus(_YEAR_S),
        orders_in_force_every_s=orders_in_force_every_s,
        halt_verdict_s=halt_verdict_s,
        recovery=recovery,
        hold_chip_hours=_HELD[profile],
    )


def constituencies_of(profile: Profile) -> dict[str, int]:
    """The constituencies that a profile's draft asks for, and how many keys each needs at least."""
    needed: dict[str, int] = {}
    for quorums in _PROFILES[profile].values():
        for who, k in quorums:
            needed[who] = max(k, needed.get(who, 0))
    return needed


def _grants(powers: _Quorums) -> tuple[PowerGrant, ...]:
    return tuple(
        PowerGrant(
            power=power,
            quorums=tuple(QuorumPart(constituency=who, k=k) for who, k in quorums),
            max_duration_s=86_400 if power == "hold" else None,
        )
        for power, quorums in powers.items()
    )


def _registers(jurisdiction: str) -> tuple[CharterRegister, ...]:
    return tuple(
        CharterRegister(
            name=f"{power}/{jurisdiction}",
            power=power,  # type: ignore[arg-type]  # the tuple holds register powers only
            jurisdiction=jurisdiction,
        )
        for power in _REGISTERED
    )
