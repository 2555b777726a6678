"""What every charter must keep: checked before anybody signs it, and again by everybody who reads it. Pure.

Each refusal names the rule and the remedy. Source: protocol sections 2 and 3, and invariant 2: no constituency alone
does what the charter asks two for. A report of a compromise can end orders, so it is asked of two as well.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Collection, Mapping

from sekisho.model.errors import InvalidInput, VerificationError
from sekisho.model.statements import CharterAdopted, CharterKey, Power
from sekisho.model.wire import decode_base64
from sekisho.signing.deposit import MAX_HOLDERS
from sekisho.signing.sealing import DepositKey

__all__ = [
    "TWO_SIDED",
    "CharterFault",
    "check_charter",
    "check_ownership",
    "same_organisation",
]

TWO_SIDED: tuple[Power, ...] = ("pause", "resume", "amend", "publish-agent")
# Where a charter grants them at all: each can, in the end, release or stop what two must decide.
TWO_SIDED_IF_GRANTED: tuple[Power, ...] = ("report-compromise", "declare-outage")
_STRICT = ("authority", "international")
# Control and format characters, as the space of no width: two spellings with and without look alike.
_UNSEEN = ("Cc", "Cf")


class CharterFault(VerificationError):
    """The charter breaks a rule that every charter must keep."""

    code = "charter-fault"


def check_charter(
    terms: CharterAdopted, members: Mapping[str, frozenset[str]], recovery: Collection[str] = ()
) -> None:
    """Refuse a charter that breaks a rule of the protocol. `members` and `recovery` are key ids."""
    _check_membership(terms, members)
    _check_recovery(terms, members, recovery)
    _check_deposits(terms)
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


def _check_recovery(
    terms: CharterAdopted, members: Mapping[str, frozenset[str]], recovery: Collection[str]
) -> None:
    if terms.recovery is None:
        return
    if len(recovery) != len(terms.recovery.keys):
        raise CharterFault("the recovery keys list one key twice")
    if terms.recovery.k > len(recovery):
        raise CharterFault(f"recovery asks {terms.recovery.k} of {len(recovery)} keys")
    for name, ids in members.items():
        if any(key_id in ids for key_id in recovery):
            raise CharterFault(
                f"a recovery key stands in {name} as well",
                remedy="recovery keys lie offline and sign nothing else",
            )


def _check_deposits(terms: CharterAdopted) -> None:
    """A holder with two shares of one deposit would count twice."""
    seen: set[str] = set()
    for key in _every_key(terms):
        if key.deposit is None:
            continue
        key_id = DepositKey.from_text(key.deposit, path="constituencies.keys.deposit").key_id
        if key_id in seen:
            raise CharterFault(f"the deposit key {key_id[:16]} is listed twice")
        seen.add(key_id)
    if len(seen) > MAX_HOLDERS:
        raise CharterFault(f"{len(seen)} deposit keys; one deposit has at most {MAX_HOLDERS}")


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
    if terms.profile not in _STRICT:
        return
    granted = {grant.power: len(grant.quorums) for grant in terms.powers}
    asked = (*TWO_SIDED, *(power for power in TWO_SIDED_IF_GRANTED if power in granted))
    for power in asked:
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


def check_ownership(terms: CharterAdopted) -> list[str]:
    """Why this charter's witnesses are not two organisations beside the log's own; empty where they are.

    Asked of the profiles authority and international. A charter is drafted and amended only without such problems;
    version 1, which stands by its digest, is read all the same, and the auditor says what its witnesses are worth.
    """
    if terms.profile not in _STRICT:
        return []
    log = terms.log
    owners = Counter(_folded(witness.owner) for witness in log.witnesses)
    own = owners.pop(_folded(log.owner), 0)
    if len(owners) < 2:
        return [
            f"beside the log's owner {len(owners)} organisations hold its witnesses, two are asked"
        ]
    largest = max(owners.values())
    if own + largest >= log.witness_quorum:
        return [
            f"{own + largest} witnesses of the log's owner and one other make the quorum of {log.witness_quorum}"
        ]
    return []


def same_organisation(one: str, other: str) -> bool:
    """Whether two spellings are one organisation's name: case, width, spaces and what nobody sees say nothing."""
    return _folded(one) == _folded(other)


def _folded(name: str) -> str:
    seen = "".join(c for c in name if c.isspace() or unicodedata.category(c) not in _UNSEEN)
    return " ".join(unicodedata.normalize("NFKC", seen).casefold().split())


def _every_key(terms: CharterAdopted) -> list[CharterKey]:
    listed = [key for constituency in terms.constituencies for key in constituency.keys]
    return [*listed, *(terms.recovery.keys if terms.recovery is not None else ())]
