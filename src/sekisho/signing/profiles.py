"""Charters to begin with, one per profile: who holds which power where nobody has decided otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
)

__all__ = ["draft_charter"]

_YEAR_S = 365 * 86_400

# power -> quorums (constituency, k) of the authority profile: authority 3-of-5, verifiers 1-of-2, operators.
_AUTHORITY: dict[Power, tuple[tuple[str, int], ...]] = {
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
    "report-compromise": (("authority", 1),),
    "register-chips": (("operators", 1),),
}
_PROFILES: dict[Profile, dict[Power, tuple[tuple[str, int], ...]]] = {"authority": _AUTHORITY}
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
) -> CharterAdopted:
    """Charter version 1 of a profile, for its founders to read, change and sign.

    Raises InvalidInput for a profile without a draft of its own.
    """
    powers = _PROFILES.get(profile)
    if powers is None:
        raise InvalidInput(
            f"there is no draft for the profile {profile} yet", remedy="write the charter by hand"
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
    )


def _grants(powers: Mapping[Power, tuple[tuple[str, int], ...]]) -> tuple[PowerGrant, ...]:
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
