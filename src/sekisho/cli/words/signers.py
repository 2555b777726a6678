"""Who may sign a document, who did, and how far that is from its quorum."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import msgspec

from sekisho.ceremony import power_for
from sekisho.cli.documents import Document
from sekisho.cli.plain_text import quote
from sekisho.cli.words.page import Page, View
from sekisho.model.errors import InvalidInput
from sekisho.model.statements import (
    KINDS,
    CharterAdopted,
    ImpactAssessed,
    Power,
    RecoveryAnnounced,
    RecoveryVetoed,
    Statement,
)
from sekisho.signing import Charter, CharterFault, Envelope, PublicKey, distinct_signers

__all__ = ["Known", "charters_of", "describe_signers", "known_keys", "name_of"]


_RECOVERY = "recovery"  # no constituency: the offline keys that replace keys and sign nothing else
_Parts: TypeAlias = tuple[tuple[str, int, int], ...]


class Known(msgspec.Struct, frozen=True):
    """A key and whose it is, in words that are safe to print."""

    key: PublicKey
    name: str


def describe_signers(page: Page, document: Document, statement: Statement) -> None:
    """Rows for who may sign, each signature, and the standing; warnings for what does not verify."""
    charters = charters_of(page, statement)
    _describe_power(page, statement, charters)
    found: frozenset[str] = frozenset()
    if document.envelope is not None:
        keys = {**known_keys(page.view, charters), **_own_key(page, statement)}
        found = _describe_signatures(page, document.envelope, keys)
        found = _without_silenced(page, statement, found, keys)
    elif _is_in_force(page, statement):
        # Drawn up from the log's fold, which keeps no signatures and took it only with its quorums.
        page.tell("signed_by", "in-force")
        return
    else:
        page.tell("signed_by", "unsigned")
        page.data["signatures"] = []
    power = power_for(statement)
    if charters:
        _describe_standing(page, _parts_asked(statement, charters, power, found))


def _own_key(page: Page, statement: Statement) -> Mapping[str, Known]:
    """The key that a paper carries itself: who signed is known by no name, but that it was this key is."""
    if not isinstance(statement.predicate, ImpactAssessed):
        return {}
    try:
        key = PublicKey.from_text(statement.predicate.public)
    except InvalidInput:
        return {}
    return {key.key_id: Known(key, page.say("show.impact.own_key"))}


def _is_in_force(page: Page, statement: Statement) -> bool:
    charter = page.view.footing.charter
    return page.view.footing.state is not None and (
        charter is not None and charter.digest == statement.digest
    )


def charters_of(page: Page, statement: Statement) -> list[Charter]:
    """The charter in force as far as known; for a charter itself also the one that it would be."""
    charter = page.view.footing.charter
    charters = [charter] if charter is not None else []
    if isinstance(statement.predicate, CharterAdopted) and (
        charter is None or charter.digest != statement.digest
    ):
        try:
            charters.append(Charter(statement.predicate, statement.digest))
        except CharterFault as fault:
            page.warn("charter-fault", why=fault)
    return charters


def known_keys(view: View, charters: list[Charter]) -> dict[str, Known]:
    """Every key that the reader can put a name to, by its id."""
    known: dict[str, Known] = {}
    for charter in charters:
        for key in charter.every_key():
            known[key.key_id] = Known(key, name_of(charter, key.key_id))
    state = view.footing.state
    if state is not None:
        regime = state.regime
        known[regime.log_key.key_id] = Known(regime.log_key, "log")
        for host in regime.hosts.values():
            key = PublicKey.from_text(host.public)
            known.setdefault(key.key_id, Known(key, f"host {host.host}"))
        for party in regime.parties.values():
            key = PublicKey.from_text(party.public)
            known.setdefault(key.key_id, Known(key, f"party {party.party}"))
    return known


def name_of(charter: Charter, key_id: str) -> str:
    """A charter key's constituency, organisation and holder."""
    organisation, holder = charter.holder_of(key_id) or ("", "")
    group = charter.constituency_of(key_id) or _RECOVERY
    return f"{group}: {quote(organisation)}, {quote(holder)}"


def _describe_power(page: Page, statement: Statement, charters: list[Charter]) -> None:
    power = power_for(statement)
    page.data["power"] = power
    if power is None:
        page.tell("may_sign", f"signer.{KINDS[statement.kind].signer}")
    elif not charters:
        page.tell("may_sign", "power.unknown", power=power)
    for charter in charters if power is not None else ():
        grant = charter.grant_of(power) if power is not None else None
        asked = " + ".join(f"{p.constituency} {p.k}" for p in grant.quorums) if grant else "-"
        page.tell("may_sign", "power", power=power, quorums=asked, version=charter.terms.version)


def _describe_signatures(
    page: Page, envelope: Envelope, known: Mapping[str, Known]
) -> frozenset[str]:
    """One row for each signature line, by the key that made it, never by the key that it claims."""
    found: set[str] = set()
    rows: list[dict[str, object]] = []
    keys = [entry.key for entry in known.values()]
    for signature in envelope.signatures:
        alone = msgspec.structs.replace(envelope, signatures=(signature,))
        made = next(iter(distinct_signers(alone, keys)), None)
        rows.append(
            {"claims": signature.keyid, "key": made, "by": known[made].name if made else None}
        )
        if made is None:
            _warn_of_stranger(page, signature.keyid, known)
        elif made in found:
            page.warn("doubled", id=made[:16], name=known[made].name)
        else:
            found.add(made)
            page.tell("signed_by", "signed", name=known[made].name, id=made[:16])
    page.data["signatures"] = rows
    return frozenset(found)


def _without_silenced(
    page: Page, statement: Statement, found: frozenset[str], known: Mapping[str, Known]
) -> frozenset[str]:
    """The signers that count: not keys that were reported, nor signatures that were taken back; loud about each.

    What is in the log already keeps what it had when it came there.
    """
    state = page.view.footing.state
    if state is None:
        return found
    logged = state.regime.spoken.get(statement.digest)
    index = logged.index if logged is not None else None
    dead = {k for k in found if not state.regime.keys.counts(k, statement.digest, index)}
    for key_id in sorted(dead):
        code = "key-silenced" if key_id in state.regime.keys.silenced else "signature-withdrawn"
        page.warn(code, id=key_id[:16], name=known[key_id].name)
    return found - dead


def _warn_of_stranger(page: Page, claimed: str, known: Mapping[str, Known]) -> None:
    if claimed in known:
        page.warn("bad-signature", name=known[claimed].name)
    else:
        page.warn("unknown-signature", id=quote(claimed[:32]))


def _parts_asked(
    statement: Statement, charters: list[Charter], power: Power | None, found: frozenset[str]
) -> list[_Parts]:
    """Of every quorum that is asked: who, how many signed, how many must."""
    fact, first = statement.predicate, charters[0]
    if isinstance(fact, RecoveryVetoed):
        have = len(first.members_of(fact.constituency) & found)
        return [((fact.constituency, have, first.veto_quorum(fact.constituency)),)]
    recovery = first.terms.recovery
    recovering = (_RECOVERY, len(first.recovery.keys() & found), recovery.k if recovery else 0)
    if isinstance(fact, RecoveryAnnounced):
        return [(recovering,)]
    if isinstance(fact, CharterAdopted) and fact.recovers is not None and len(charters) > 1:
        return [(recovering,), charters[-1].standing("amend", found).parts]
    return [charter.standing(power, found).parts for charter in charters] if power else []


def _describe_standing(page: Page, asked: list[_Parts]) -> None:
    if not asked:
        return
    page.data["standing"] = [
        {"constituency": name, "have": have, "asked": k}
        for parts in asked
        for name, have, k in parts
    ]
    met = [bool(parts) and all(have >= k for _, have, k in parts) for parts in asked]
    page.data["quorum"] = all(met)
    for parts, is_met in zip(asked, met, strict=True):
        text = ", ".join(f"{name} {have}/{k}" for name, have, k in parts) or "-"
        page.tell("standing", "standing.met" if is_met else "standing.open", parts=text)
