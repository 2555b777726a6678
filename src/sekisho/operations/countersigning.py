"""Whether one key may put its signature under a document, before it does. Pure; each refusal has its own name.

A signature given to the wrong log, to a charter that is not in force, or to an order that no longer can be issued is
a signature that somebody else may use: so it is refused here, on the signer's own machine.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from sekisho.model.errors import (
    NotAuthorised,
    StateConflict,
    UnknownCriticalField,
    VerificationError,
)
from sekisho.model.instants import Instant
from sekisho.model.statements import (
    KINDS,
    CharterAdopted,
    LicenceIssued,
    LicenceRevoked,
    OrderIssued,
    Power,
    Statement,
)
from sekisho.operations.difference import check_licence, place_of
from sekisho.operations.state import State
from sekisho.orders import RegisterGap, TwoDigests, check_release, verify_issue
from sekisho.signing import Charter, CharterBreak, TrustRoot

__all__ = ["Footing", "ForeignDocument", "KeyWithoutPower", "power_for", "verify_countersign"]


class ForeignDocument(VerificationError):
    """The document is for another log or another regime than the one that the signer trusts."""

    code = "foreign-document"


class KeyWithoutPower(NotAuthorised):
    """The key is in no constituency that the charter asks for this document."""

    code = "key-without-power"


class Footing(msgspec.Struct, frozen=True, kw_only=True):
    """What a signer stands on: a trust root, the charter in force as far as known, and the log where one was read."""

    root: TrustRoot | None = None
    charter: Charter | None = None
    state: State | None = None


def power_for(statement: Statement) -> Power | None:
    """The charter power that a statement asks for; None where its key comes from elsewhere."""
    fact = statement.predicate
    if isinstance(fact, OrderIssued):
        return fact.kind
    signer = KINDS[statement.kind].signer
    elsewhere = ("host", "party", "device", "log", "witness-of-fault")
    return None if signer in elsewhere else signer  # type: ignore[return-value]  # the table holds powers


def verify_countersign(
    footing: Footing, statement: Statement, unknown: tuple[str, ...], key_id: str, *, now: Instant
) -> None:
    """Raise the named error where `key_id` must not sign `statement` now.

    1. every field is understood (`unknown` are the paths that are not); 2. it is for the trusted log and charter;
    3. it could still take effect; 4. the key counts towards the power that it asks for.
    """
    if unknown:
        raise UnknownCriticalField(
            f"it has fields that this program does not know: {', '.join(unknown)}"[:400],
            remedy="update before signing: nobody signs what they cannot read",
        )
    fact = statement.predicate
    check = _CHECKS.get(type(fact))
    if check is not None:
        check(footing, fact, statement.digest, now)
    charters = _charters(footing, statement)
    power = power_for(statement)
    if power is None or not any(
        key_id in {key.key_id for key in charter.keys_of(power)} for charter in charters
    ):
        raise KeyWithoutPower(
            f"key {key_id[:16]} has no power to sign {statement.kind} statements ({power or 'not by charter'})"
        )


def _charters(footing: Footing, statement: Statement) -> list[Charter]:
    """The charters whose keys count: the one in force, and for a charter itself the new one as well."""
    known = [footing.charter] if footing.charter is not None else []
    if isinstance(statement.predicate, CharterAdopted):
        known.append(Charter(statement.predicate, statement.digest))
    if not known:
        raise ForeignDocument(
            "no charter is known that this could stand under",
            remedy="read the log (--log), or give the charter itself (--charter)",
        )
    return known


def _check_order(footing: Footing, order: OrderIssued, digest: str, now: Instant) -> None:
    origin, charter = _root(footing).origin, _charter(footing)
    verify_issue(order, charter, log=origin, now=now)
    if footing.state is None:
        return
    book = footing.state.orders
    book.check_register(order, charter.terms.registers)
    place = place_of(book, order, digest)
    where = f"{order.register} {order.number}"
    if place == "logged":
        raise StateConflict(f"order {where} is issued already")
    if place == "taken":
        raise TwoDigests(f"order {where} would be a second one at its number")
    if place != "next":
        raise RegisterGap(
            f"order {where} does not follow its register's head", remedy="draft it anew"
        )
    problems = check_release(order, book)
    if problems:
        raise StateConflict("; ".join(problems))


def _check_licence(footing: Footing, licence: LicenceIssued, digest: str, now: Instant) -> None:
    origin = _root(footing).origin
    if licence.declaration.log != origin:
        raise ForeignDocument(
            f"the licence rests on the log {licence.declaration.log}, trusted is {origin}"
        )
    if licence.period.end <= now:
        raise StateConflict(f"licence {licence.number} ended at {licence.period.end}")
    _verify_unexpired(_charter(footing), now)
    problems = check_licence(footing.state, licence, digest) if footing.state else []
    if problems:
        raise StateConflict(f"licence {licence.number}: {'; '.join(problems)}")


def _check_revocation(footing: Footing, fact: LicenceRevoked, _: str, __: Instant) -> None:
    origin = _root(footing).origin
    if fact.licence.log != origin:
        raise ForeignDocument(f"it revokes a licence of {fact.licence.log}, trusted is {origin}")
    if footing.state is not None:
        held = footing.state.licences.find(fact.licence.leaf)
        if held.licence.number != fact.number or held.revoked is not None:
            raise StateConflict(f"licence {fact.number} is not one that this can revoke")


def _check_charter(footing: Footing, terms: CharterAdopted, digest: str, now: Instant) -> None:
    root = footing.root
    if root is not None and terms.log.origin != root.origin:
        raise ForeignDocument(
            f"the charter is for the log {terms.log.origin}, trusted is {root.origin}"
        )
    if terms.version == 1 and terms.previous is None:
        # The first charter has no root before it; where one is trusted already, only that one may be signed.
        if root is not None and root.charter_digest != digest:
            raise ForeignDocument(
                f"another charter {root.charter_digest[:16]} is trusted for {root.origin}",
                remedy="sekisho trust remove, if this one is to take its place",
            )
        return
    if footing.state is None:
        raise CharterBreak("a later version follows the one in force", remedy="read the log: --log")
    old = footing.state.regime.in_force()
    if terms.version != old.terms.version + 1 or terms.previous != old.digest:
        raise CharterBreak(
            f"version {terms.version} does not follow version {old.terms.version} in force"
        )
    _verify_unexpired(old, now)


def _verify_unexpired(charter: Charter, now: Instant) -> None:
    if charter.terms.expires <= now:
        raise StateConflict(
            f"the charter expired at {charter.terms.expires}: no new licences, no amendments"
        )


def _root(footing: Footing) -> TrustRoot:
    if footing.root is None:
        raise ForeignDocument(
            "no trust root covers the log that this document is for",
            remedy="sekisho trust add, with the charter's digest compared by word of mouth",
        )
    return footing.root


def _charter(footing: Footing) -> Charter:
    if footing.charter is None:
        raise ForeignDocument(
            "the charter in force is not known",
            remedy="read the log (--log), or give the charter itself (--charter)",
        )
    return footing.charter


_CHECKS: dict[type, Callable[[Footing, Any, str, Instant], None]] = {
    OrderIssued: _check_order,
    LicenceIssued: _check_licence,
    LicenceRevoked: _check_revocation,
    CharterAdopted: _check_charter,
}
