"""Drafting the next charter: what is in force, changed as planned, refused where no charter may be so. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from sekisho.model.errors import InvalidInput, StateConflict, UnknownCriticalField
from sekisho.model.instants import Instant
from sekisho.model.statements import (
    CharterAdopted,
    CharterKey,
    CharterLog,
    CharterWitness,
    Constituency,
    Power,
    PowerGrant,
    QuorumPart,
    make_payload,
    parse_payload,
)
from sekisho.model.wire import from_json, sha256_hex, to_plain
from sekisho.operations.founding import witness_terms
from sekisho.signing import Charter, CharterFault, PublicKey
from sekisho.signing.charter_rules import check_ownership

__all__ = [
    "AmendmentPlan",
    "KeyChange",
    "draft_amendment",
    "find_key",
    "key_id_of",
    "parse_quorums",
    "replace_keys",
    "verify_draft",
]

_ID = re.compile(r"[0-9a-f]{8,64}")


class KeyChange(msgspec.Struct, frozen=True, kw_only=True):
    """The key `old` (an id) gives way to `new`, in the same constituency."""

    old: str
    new: CharterKey


class AmendmentPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What the drafter decides; version and predecessor follow from what is in force.

    `terms` is a whole charter to begin from, instead of the one in force. Key ids are full ones: see `find_key`.
    """

    terms: CharterAdopted | None = None
    added: tuple[tuple[str, CharterKey], ...] = ()
    removed: tuple[str, ...] = ()
    replaced: tuple[KeyChange, ...] = ()
    expires: Instant | None = None
    log: tuple[str, str] | None = None
    witnesses: tuple[CharterWitness, ...] = ()
    witnesses_removed: tuple[str, ...] = ()
    quorums: tuple[PowerGrant, ...] = ()


def draft_amendment(charter: Charter, plan: AmendmentPlan, *, now: Instant) -> CharterAdopted:
    """The version after `charter`. Raises InvalidInput or CharterFault for what nobody should be asked to sign."""
    if charter.terms.expires <= now:
        raise StateConflict(
            f"the charter expired at {charter.terms.expires}: it takes no amendment any more",
            remedy="found a new regime; hold, pause and resume go on under this one",
        )
    if plan.terms is None and sha256_hex(make_payload(charter.terms)) != charter.digest:
        raise UnknownCriticalField(
            "the charter in force has fields that this program does not know, and would leave them out",
            remedy="update before drafting the next one",
        )
    terms = plan.terms or charter.terms
    changed = msgspec.structs.replace(
        terms,
        version=charter.terms.version + 1,
        previous=charter.digest,
        effective=now,
        recovers=None,
        constituencies=_constituencies(terms, plan),
        powers=_powers(terms.powers, plan.quorums),
        log=_log(terms.log, plan),
        expires=plan.expires or terms.expires,
    )
    _refuse_nothing(charter.terms, changed)
    if changed.expires <= now:
        raise InvalidInput(f"{changed.expires} is past already", path="--expires")
    verify_draft(changed)
    return changed


def verify_draft(terms: CharterAdopted) -> None:
    """Read back as a signer will read it, and held against every rule of charters, before anybody is asked to sign.

    Raises InvalidInput and CharterFault, also where too few organisations beside the log's own hold its witnesses.
    """
    statement = parse_payload(make_payload(terms), path="charter")
    Charter(terms, statement.digest)
    problems = check_ownership(terms)
    if problems:
        raise CharterFault("; ".join(problems), remedy="ask other organisations for witnesses")


def replace_keys(terms: CharterAdopted, changes: Iterable[KeyChange]) -> tuple[Constituency, ...]:
    """The constituencies with these keys replaced, nothing else. Raises InvalidInput for a key that is not there."""
    new = {change.old: change.new for change in changes}
    known = {key_id_of(key) for group in terms.constituencies for key in group.keys}
    for old in new:
        if old not in known:
            raise InvalidInput(f"key {old[:16]} is in no constituency", path="--replace-key")
    return tuple(
        msgspec.structs.replace(
            group, keys=tuple(new.get(key_id_of(key), key) for key in group.keys)
        )
        for group in terms.constituencies
    )


def find_key(charter: Charter, text: str, *, path: str) -> str:
    """The id of the charter key that `text` begins: eight hexadecimal digits at least, of one key only."""
    known = {key.key_id for key in charter.every_key()}
    found = [key_id for key_id in sorted(known) if _ID.fullmatch(text) and key_id.startswith(text)]
    if len(found) != 1:
        raise InvalidInput(
            f"{text[:70]!r} names {len(found)} keys of the charter in force",
            path=path,
            remedy="give the key's id (or its first eight digits), or its .pub file",
        )
    return found[0]


def key_id_of(key: CharterKey) -> str:
    """The id of a charter's key."""
    return PublicKey.from_text(key.public).key_id


def parse_quorums(text: str, *, path: str) -> PowerGrant:
    """`POWER=CONSTITUENCY:K,...` as a grant. Raises InvalidInput naming the flag."""
    power, equals, rest = text.partition("=")
    parts = [part.rpartition(":") for part in rest.split(",")]
    if not equals or not all(name and k.isdecimal() and len(k) < 3 for name, _, k in parts):
        raise InvalidInput(
            f"{text[:80]!r} is not POWER=CONSTITUENCY:K",
            path=path,
            remedy="write pause=authority:3,verifiers:1",
        )
    quorums = tuple(QuorumPart(constituency=name, k=int(k)) for name, _, k in parts)
    return from_json(PowerGrant, {"power": power, "quorums": to_plain(quorums)}, path=path)


def _constituencies(terms: CharterAdopted, plan: AmendmentPlan) -> tuple[Constituency, ...]:
    replaced = msgspec.structs.replace(terms, constituencies=replace_keys(terms, plan.replaced))
    groups = {group.name: list(group.keys) for group in replaced.constituencies}
    for key_id in plan.removed:
        held = [name for name, keys in groups.items() if key_id in map(key_id_of, keys)]
        if not held:
            raise InvalidInput(f"key {key_id[:16]} is in no constituency", path="--remove-key")
        groups[held[0]] = [key for key in groups[held[0]] if key_id_of(key) != key_id]
    for name, key in plan.added:
        groups.setdefault(name, []).append(key)
    return tuple(Constituency(name=name, keys=tuple(keys)) for name, keys in groups.items() if keys)


def _powers(
    grants: tuple[PowerGrant, ...], changed: tuple[PowerGrant, ...]
) -> tuple[PowerGrant, ...]:
    """Grants with other quorums; what a grant limits besides stays as it was."""
    by_power: dict[Power, PowerGrant] = {grant.power: grant for grant in grants}
    for grant in changed:
        old = by_power.get(grant.power, grant)
        by_power[grant.power] = msgspec.structs.replace(old, quorums=grant.quorums)
    return tuple(by_power.values())


def _log(log: CharterLog, plan: AmendmentPlan) -> CharterLog:
    """The log with its key, its owner and its witnesses as planned; a witness of a known name gets the new key."""
    if plan.log is not None:
        owner, vkey = plan.log
        if vkey.split("+", 1)[0] != log.origin:
            raise InvalidInput(
                f"is the key of another log than {log.origin}",
                path="--log-key",
                remedy="a log keeps its name when its key changes; another log is another regime",
            )
        log = msgspec.structs.replace(log, vkey=vkey, owner=owner)
    gone = set(plan.witnesses_removed) - {witness.name for witness in log.witnesses}
    if gone:
        raise InvalidInput(f"no witness is named {min(gone)[:60]!r}", path="--remove-witness")
    by_name = {w.name: w for w in log.witnesses if w.name not in plan.witnesses_removed}
    by_name |= {witness.name: witness for witness in plan.witnesses}
    if len(by_name) == len(log.witnesses):
        return msgspec.structs.replace(log, witnesses=tuple(by_name.values()))
    quorum, faults = witness_terms(len(by_name))
    return msgspec.structs.replace(
        log, witnesses=tuple(by_name.values()), witness_quorum=quorum, witness_faults=faults
    )


def _refuse_nothing(old: CharterAdopted, new: CharterAdopted) -> None:
    same = msgspec.structs.replace(
        new,
        version=old.version,
        previous=old.previous,
        effective=old.effective,
        recovers=old.recovers,
    )
    if same == old:
        raise InvalidInput(
            "it would change nothing",
            path="charter propose",
            remedy="say what is to change: --add-key, --expires, --quorum, --edit ...",
        )
