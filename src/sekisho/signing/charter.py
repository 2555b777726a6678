"""The charter's own rules, and what its quorums ask: who may do what, and who is still missing.

Pure. A power asks for the AND of the quorums of one or more constituencies; each counts distinct keys only.
Source: protocol section 2.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from sekisho.model.errors import InvalidInput, NotAuthorised, VerificationError
from sekisho.model.statements import CharterAdopted, Power, PowerGrant, QuorumPart
from sekisho.model.wire import decode_base64
from sekisho.signing.keys import PublicKey

__all__ = ["PAUSE_POWERS", "Charter", "CharterFault", "Standing", "check_charter"]

TWO_SIDED: tuple[Power, ...] = ("pause", "resume", "amend", "publish-agent")
PAUSE_POWERS: tuple[Power, ...] = ("hold", "pause", "cap", "suspend-access", "resume")


class CharterFault(VerificationError):
    """The charter breaks a rule that every charter must keep."""

    code = "charter-fault"


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

    __slots__ = ("_by_constituency", "_grants", "digest", "keys", "terms")

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
        self._grants: dict[Power, PowerGrant] = {grant.power: grant for grant in terms.powers}
        check_charter(terms, self._by_constituency)

    def grant_of(self, power: Power) -> PowerGrant | None:
        return self._grants.get(power)

    def constituency_of(self, key_id: str) -> str | None:
        return next((name for name, ids in self._by_constituency.items() if key_id in ids), None)

    def keys_of(self, power: Power) -> list[PublicKey]:
        """Every key that counts towards `power`: what a signature under it is tried against."""
        grant = self._grants.get(power)
        names = {part.constituency for part in grant.quorums} if grant else set()
        return [key for key_id, key in self.keys.items() if self.constituency_of(key_id) in names]

    def standing(self, power: Power, signers: frozenset[str]) -> Standing:
        """How far `signers` (key ids, already verified) have come towards `power`."""
        grant = self._grants.get(power)
        parts = grant.quorums if grant else ()
        return Standing(power=power, parts=tuple(self._count(part, signers) for part in parts))

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

    def holder_of(self, key_id: str) -> tuple[str, str] | None:
        """(organisation, role) of a key, for people to read."""
        for constituency in self.terms.constituencies:
            for key in constituency.keys:
                if PublicKey.from_text(key.public).key_id == key_id:
                    return key.organisation, key.holder
        return None

    def _count(self, part: QuorumPart, signers: frozenset[str]) -> tuple[str, int, int]:
        members = self._by_constituency.get(part.constituency, frozenset())
        return part.constituency, len(members & signers), part.k


def check_charter(terms: CharterAdopted, members: Mapping[str, frozenset[str]]) -> None:
    """Refuse a charter that breaks a rule of the protocol; each message names the rule and the remedy."""
    _check_membership(terms, members)
    _check_quorums(terms, members)
    _check_profile(terms)
    _check_log(terms)
    _check_registers(terms)


def _check_membership(terms: CharterAdopted, members: Mapping[str, frozenset[str]]) -> None:
    if len(members) != len(terms.constituencies):
        raise InvalidInput("two constituencies bear one name", path="constituencies")
    seen: dict[str, str] = {}
    for constituency in terms.constituencies:
        ids = members[constituency.name]
        if len(ids) != len(constituency.keys):
            raise CharterFault(f"constituency {constituency.name} lists one key twice")
        for key_id in ids:
            if key_id in seen:
                raise CharterFault(
                    f"key {key_id[:16]} stands in {seen[key_id]} and in {constituency.name}",
                    remedy="no key may speak for two constituencies",
                )
            seen[key_id] = constituency.name


def _check_quorums(terms: CharterAdopted, members: Mapping[str, frozenset[str]]) -> None:
    if len({grant.power for grant in terms.powers}) != len(terms.powers):
        raise CharterFault("a power is granted twice")
    for grant in terms.powers:
        if len({part.constituency for part in grant.quorums}) != len(grant.quorums):
            raise CharterFault(f"the power {grant.power} names one constituency twice")
        for part in grant.quorums:
            size = len(members.get(part.constituency, frozenset()))
            if part.k > size:
                raise CharterFault(
                    f"the power {grant.power} asks {part.k} of {size} keys of {part.constituency}"
                )


def _check_profile(terms: CharterAdopted) -> None:
    if terms.profile not in ("authority", "international"):
        return
    granted = {grant.power: len(grant.quorums) for grant in terms.powers}
    for power in TWO_SIDED:
        if granted.get(power, 0) < 2:
            raise CharterFault(
                f"a charter of profile {terms.profile} must ask two constituencies for {power}",
                remedy="add a second constituency's quorum",
            )


def _check_log(terms: CharterAdopted) -> None:
    log, n = terms.log, len(terms.log.witnesses)
    k, f = log.witness_quorum, log.witness_faults
    keys = {_note_key(w.vkey) for w in log.witnesses}
    if len(keys) != n or len({w.name for w in log.witnesses}) != n:
        raise CharterFault("a witness is listed twice: by its name, or by its key under two names")
    if _note_key(log.vkey) in keys:
        raise CharterFault("the log's own key stands among its witnesses")
    if not (n >= k > n / 2 and 2 * k - n > f):
        raise CharterFault(
            f"{k} of {n} witnesses cannot exclude a fork with {f} of them faulty",
            remedy="ask for k > n/2 and 2k - n > f",
        )


def _check_registers(terms: CharterAdopted) -> None:
    names = [register.name for register in terms.registers]
    if len(set(names)) != len(names):
        raise CharterFault("two registers bear one name")
    if len({(r.power, r.jurisdiction) for r in terms.registers}) != len(names):
        raise CharterFault("two registers are for one power in one jurisdiction")
    granted = {grant.power for grant in terms.powers}
    for register in terms.registers:
        if register.power not in granted:
            raise CharterFault(
                f"register {register.name} is for the power {register.power}, which nobody has"
            )


def _note_key(vkey: str) -> bytes:
    """The bare key in a note's `<name>+<hash>+<type and key>`: name, hash and type would hide that it is the same."""
    parts = vkey.split("+", 2)
    if len(parts) != 3:
        raise InvalidInput(f"{vkey[:60]!r} is not a verifier key of a signed note", path="log")
    return decode_base64(parts[2], path="log")[1:]
