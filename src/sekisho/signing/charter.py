"""The charter: who may do what, and who is still missing.

Pure. A power asks for the AND of the quorums of one or more constituencies; each counts distinct keys only.
Recovery keys count towards recovery alone. Source: protocol section 2.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from sekisho.model.errors import NotAuthorised
from sekisho.model.statements import CharterAdopted, Power, PowerGrant, QuorumPart
from sekisho.signing.charter_rules import CharterFault, check_charter, same_organisation
from sekisho.signing.keys import PublicKey

__all__ = ["PAUSE_POWERS", "Charter", "CharterFault", "Standing", "check_charter"]

PAUSE_POWERS: tuple[Power, ...] = ("hold", "pause", "cap", "suspend-access", "resume")


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How far a set of signers has come towards a power: per constituency how many, of how many asked."""

    power: Power
    parts: tuple[tuple[str, int, int], ...]

    @property
    def is_met(self) -> bool:
        return bool(self.parts) and all(have >= asked for _, have, asked in self.parts)

    def in_words(self) -> str:
        if not self.parts:
            return f"the charter gives nobody the power {self.power}"
        return ", ".join(f"{name} {have} of {asked}" for name, have, asked in self.parts)


class Charter:
    """One adopted version, with its keys ready to verify by."""

    __slots__ = ("_by_constituency", "_grants", "digest", "keys", "recovery", "terms")

    def __init__(self, terms: CharterAdopted, digest: str) -> None:
        """Raises CharterFault or InvalidInput where the charter itself is unsound."""
        self.terms = terms
        self.digest = digest
        self._by_constituency: dict[str, frozenset[str]] = {}
        self.keys: dict[str, PublicKey] = {}
        for constituency in terms.constituencies:
            keys = [
                PublicKey.from_text(key.public, path=f"constituencies.{constituency.name}")
                for key in constituency.keys
            ]
            self._by_constituency[constituency.name] = frozenset(key.key_id for key in keys)
            self.keys.update((key.key_id, key) for key in keys)
        self.recovery = _recovery_keys(terms)
        self._grants: dict[Power, PowerGrant] = {grant.power: grant for grant in terms.powers}
        check_charter(terms, self._by_constituency, self.recovery)

    def grant_of(self, power: Power) -> PowerGrant | None:
        return self._grants.get(power)

    def constituency_of(self, key_id: str) -> str | None:
        return next((name for name, ids in self._by_constituency.items() if key_id in ids), None)

    def keys_of(self, power: Power) -> list[PublicKey]:
        """Every key that counts towards `power`: what a signature under it is tried against."""
        grant = self._grants.get(power)
        parts = grant.quorums if grant else ()
        ids = {key_id for part in parts for key_id in self.members_of(part.constituency)}
        return [key for key_id, key in self.keys.items() if key_id in ids]

    def standing(self, power: Power, signers: frozenset[str]) -> Standing:
        """How far `signers` (key ids, already verified) have come towards `power`."""
        grant = self._grants.get(power)
        parts = grant.quorums if grant else ()
        return Standing(power=power, parts=tuple(self._count(part, signers) for part in parts))

    def every_key(self) -> list[PublicKey]:
        """All keys that the charter names, those for recovery among them."""
        return [*self.keys.values(), *self.recovery.values()]

    def members_of(self, constituency: str) -> frozenset[str]:
        """The key ids of a constituency; none where there is no such constituency."""
        return self._by_constituency.get(constituency, frozenset())

    def veto_quorum(self, constituency: str) -> int:
        """How many of its keys speak for a constituency alone: its part in `amend`, else a strict majority."""
        grant = self._grants.get("amend")
        parts = {part.constituency: part.k for part in grant.quorums} if grant else {}
        return parts.get(constituency) or len(self.members_of(constituency)) // 2 + 1

    def verify_veto(self, constituency: str, signers: frozenset[str]) -> None:
        """Raise NotAuthorised unless `signers` speak for the constituency."""
        asked, have = self.veto_quorum(constituency), len(self.members_of(constituency) & signers)
        if have < asked:
            raise NotAuthorised(f"{constituency} is not met: {have} of {asked}")

    def verify_recovery(self, signers: frozenset[str]) -> None:
        """Raise NotAuthorised unless `signers` are enough of the recovery keys."""
        terms, have = self.terms.recovery, len(self.recovery.keys() & signers)
        if terms is None:
            raise NotAuthorised("the charter names no recovery keys")
        if have < terms.k:
            raise NotAuthorised(f"the recovery keys are not met: {have} of {terms.k}")

    def verify_power(self, power: Power, signers: frozenset[str]) -> Standing:
        """The standing, if the quorums are met; raises NotAuthorised saying who is missing."""
        standing = self.standing(power, signers)
        if not standing.is_met:
            raise NotAuthorised(f"the power {power} is not met: {standing.in_words()}")
        return standing

    def organisations_of(self, powers: Iterable[Power]) -> frozenset[str]:
        """The organisations that hold a key towards any of these powers."""
        names = {
            part.constituency
            for power in powers
            if (grant := self._grants.get(power)) is not None
            for part in grant.quorums
        }
        return frozenset(
            key.organisation
            for constituency in self.terms.constituencies
            if constituency.name in names
            for key in constituency.keys
        )

    def is_pausing(self, organisation: str) -> bool:
        """Whether an organisation holds a key in a quorum that stops or releases: then it cannot be licensed."""
        held = self.organisations_of(PAUSE_POWERS)
        return any(same_organisation(organisation, other) for other in held)

    def holder_of(self, key_id: str) -> tuple[str, str] | None:
        """(organisation, role) of a key, for people to read."""
        listed = [key for constituency in self.terms.constituencies for key in constituency.keys]
        listed += self.terms.recovery.keys if self.terms.recovery is not None else ()
        for key in listed:
            if PublicKey.from_text(key.public).key_id == key_id:
                return key.organisation, key.holder
        return None

    def _count(self, part: QuorumPart, signers: frozenset[str]) -> tuple[str, int, int]:
        members = self._by_constituency.get(part.constituency, frozenset())
        return part.constituency, len(members & signers), part.k


def _recovery_keys(terms: CharterAdopted) -> dict[str, PublicKey]:
    listed = terms.recovery.keys if terms.recovery is not None else ()
    keys = [PublicKey.from_text(key.public, path="recovery.keys") for key in listed]
    return {key.key_id: key for key in keys}
