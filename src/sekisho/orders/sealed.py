"""Sealed orders: the log holds a digest, hosts in scope are shown the order, everybody is when it opens. Pure.

Concealed are two fields (signing.disclosure): `order`, the canonical order-issued predicate, and `salt`, over which the
tree of the host ids stands. A host is shown both with its place in that tree, or the salt with the proof that it has no
place there; whoever was shown neither does not know whether it is covered. Only what restricts may be sealed: a host
that is released must be able to show everybody why, and a release that few can read is how a pause is undone in the
dark. Source: protocol section 8.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import msgspec

from sekisho.model.errors import InvalidInput, UnknownCriticalField, VerificationError
from sekisho.model.instants import Instant
from sekisho.model.membership import Membership, MembershipShown
from sekisho.model.persistent import PersistentMap
from sekisho.model.statements import (
    AccessTerms,
    Effect,
    OnExpiry,
    OrderIssued,
    OrderKind,
    OrderSealed,
    Scope,
    unknown_critical,
)
from sekisho.model.wire import canonical, from_json, parse_canonical
from sekisho.orders.membership import HostTree, decide_membership, sealed_leaf, sealed_leaves
from sekisho.orders.registers import KnownOrder, OrderBook
from sekisho.orders.validity import check_order
from sekisho.signing.charter import Charter
from sekisho.signing.disclosure import conceal, open_fields

__all__ = [
    "OPEN_LIMIT_S",
    "ORDER",
    "SALT",
    "SEALED_KINDS",
    "ForgedSeal",
    "OpenedSeal",
    "Salts",
    "check_outer",
    "check_sealed",
    "conceals_twice",
    "make_sealed",
    "open_sealed",
    "public_book",
    "public_face",
    "seal_tree",
    "show_in_seal",
    "stand_in",
    "verify_seal",
]

OPEN_LIMIT_S: Final = 90 * 86_400
SEALED_KINDS: Final[tuple[OrderKind, ...]] = ("hold", "pause", "cap", "suspend-access")
ORDER, SALT = "order", "salt"
_SALT_BYTES: Final = 32
_SALT: Final = re.compile(r"[0-9a-f]{64}")
_SAME: Final = (
    "effective",
    "log",
    "charter",
    "register",
    "number",
    "previous",
    "kind",
    "not_before",
    "expires",
    "issue_until",
)
_STRICTEST: Final[dict[str, Effect]] = {
    "hold": "freeze",
    "pause": "checkpoint-then-stop",
    "cap": "cap",
    "suspend-access": "suspend-access",
}


class ForgedSeal(VerificationError):
    """What is shown of a sealed order is not what its signers signed, or not an order that may stand there."""

    code = "forged-seal"


class Salts(msgspec.Struct, frozen=True, kw_only=True):
    """What sealing draws: 16 bytes for each of the two disclosures, 32 for the tree of hosts."""

    order: bytes
    salt: bytes
    hosts: bytes


class OpenedSeal(msgspec.Struct, frozen=True, kw_only=True):
    """What was shown of a sealed order: the order, the salt of its tree, either or both."""

    order: OrderIssued | None = None
    salt: bytes | None = None


def make_sealed(
    order: OrderIssued, hosts: Iterable[str], salts: Salts, *, opens: Instant
) -> tuple[OrderSealed, tuple[str, ...]]:
    """The statement that takes the order's number, and the two disclosures to keep: order, then salt.

    `hosts` are those of its resolved scope. Raises InvalidInput for salts of another length or a text that is too long.
    """
    if len(salts.hosts) != _SALT_BYTES:
        raise InvalidInput(f"the salt of the hosts has {_SALT_BYTES} bytes, not {len(salts.hosts)}")
    named = sorted(set(hosts))
    leaves = 1 << (max(len(named), 1) - 1).bit_length()
    first, inner = conceal(ORDER, canonical(order).decode(), salts.order)
    second, salt = conceal(SALT, salts.hosts.hex(), salts.salt)
    sealed = OrderSealed(
        **{name: getattr(order, name) for name in _SAME},
        opens=opens,
        hosts=seal_tree(salts.hosts, named, leaves).root,
        leaves=leaves,
        # By their bytes: which of the two is the order is nobody's business.
        concealed=tuple(sorted((first, second))),
    )
    return sealed, (inner.text, salt.text)


def seal_tree(salt: bytes, hosts: Iterable[str], leaves: int) -> HostTree:
    """The tree of a sealed order's hosts. Raises InvalidInput where they do not fit."""
    return HostTree(sealed_leaves(salt, hosts, leaves))


def open_sealed(sealed: OrderSealed, texts: Iterable[str]) -> OpenedSeal:
    """What these disclosures show. Raises ForgedDisclosure, and ForgedSeal where the order inside is not the outer one.

    UnknownCriticalField where the outer one has a field that a reader must know.

    1. Exactly two digests, of which none stands twice: no second order, and no second salt, can be shown to others.
    2. Each text is stood for by one of them. 3. The order inside is canonical, has no field that this reader does not
    know, and says what the outer one says of number, predecessor, kind and dates.
    """
    if unknown_critical(sealed):
        raise UnknownCriticalField(
            "the sealed order has fields that this program does not know", remedy="update"
        )
    if conceals_twice(sealed):
        raise ForgedSeal("a sealed order conceals two fields, an order and a salt, and no more")
    fields = open_fields(texts, sealed.concealed).fields
    strange = set(fields) - {ORDER, SALT}
    if strange:
        raise ForgedSeal(f"a sealed order conceals no {min(strange)!r}")
    order, salt = fields.get(ORDER), fields.get(SALT)
    return OpenedSeal(
        order=None if order is None else _inner(sealed, order),
        salt=None if salt is None else _salt(salt),
    )


def conceals_twice(sealed: OrderSealed) -> bool:
    """Whether the digests leave room for a second order or salt, or for none."""
    return len(sealed.concealed) != 2 or len(set(sealed.concealed)) != 2


def check_outer(sealed: OrderSealed) -> list[str]:
    """Every rule that the sealed order breaks in what is public of it, in words."""
    problems = []
    if sealed.kind not in SEALED_KINDS:
        problems.append(f"a {sealed.kind} is never sealed: whoever is released shows everybody why")
    if sealed.opens > min(sealed.expires, sealed.effective.plus(OPEN_LIMIT_S)):
        problems.append("opens later than its expiry, or than 90 days after it was drafted")
    if sealed.opens <= sealed.effective:
        problems.append("opens before it was drafted")
    if conceals_twice(sealed):
        problems.append("conceals more or less than one order and one salt")
    if sealed.leaves & (sealed.leaves - 1):
        problems.append("the leaves of its hosts are no power of two")
    return problems


def check_sealed(sealed: OrderSealed, order: OrderIssued, charter: Charter) -> list[str]:
    """Every rule that a sealed order breaks, outside and inside, in words; an empty list where it is sound.

    Its hosts are named by a predicate that was resolved: only then can everybody count them again once it is open.
    """
    problems = check_outer(sealed)
    problems += [f"the order inside: {problem}" for problem in check_order(order, charter)]
    if order.resolved is None:
        problems.append("the order inside names its hosts by attributes, not by a predicate")
    elif order.resolved.count > sealed.leaves:
        problems.append(f"{order.resolved.count} hosts do not fit {sealed.leaves} leaves")
    if order.kind != "pause" and order.on_expiry != "lapse":
        problems.append(
            "the order inside must lapse at its expiry, since nobody can read otherwise"
        )
    return problems


def verify_seal(sealed: OrderSealed, salt: bytes, hosts: Iterable[str]) -> None:
    """Check that just these hosts are in the tree that was signed. Raises ForgedSeal."""
    try:
        root = seal_tree(salt, hosts, sealed.leaves).root
    except InvalidInput as error:
        raise ForgedSeal(error.message) from None
    if root != sealed.hosts:
        raise ForgedSeal(
            f"the tree of hosts has the root {sealed.hosts[:16]}, that of the order's own hosts is {root[:16]}",
            remedy="do not sign and do not issue: have it drafted anew",
        )


def show_in_seal(
    sealed: OrderSealed, salt: bytes | None, host: str, shown: Membership | None
) -> MembershipShown:
    """What a proof shows of a host; nothing without the salt. Raises ForgedMembership, ForeignMembership."""
    if salt is None:
        return "unknown"
    leaf = sealed_leaf(salt, host)
    return decide_membership(shown, leaf, root=sealed.hosts, size=sealed.leaves)


def stand_in(sealed: OrderSealed, *, on_expiry: OnExpiry) -> OrderIssued:
    """An order in the place of one that nobody showed: for everybody, at its kind's strictest, at once.

    Number, predecessor and dates are the real ones, so registers and heartbeats are the same for whoever reads them.
    """
    return OrderIssued(
        **{name: getattr(sealed, name) for name in _SAME},
        scope=Scope(everywhere=True),
        effect=_STRICTEST.get(sealed.kind, "lift"),
        grace_s=0,
        on_expiry=on_expiry if sealed.kind == "pause" else "lapse",
        legal_basis="sealed",
        appeal="sealed",
        cap_percent=1 if sealed.kind == "cap" else None,
        access=AccessTerms() if sealed.kind == "suspend-access" else None,
    )


def public_face(known: KnownOrder) -> KnownOrder:
    """An order as those may see it who are not in its scope: sealed, for as long as it is."""
    if known.sealed is None or known.is_opened or not known.is_shown:
        return known
    return msgspec.structs.replace(
        known,
        order=stand_in(known.sealed, on_expiry=known.order.on_expiry),
        is_shown=False,
        named=None,
        membership="unknown",
    )


def public_book(book: OrderBook) -> OrderBook:
    """A book as those may see it who are in no scope; the very same where nothing in it is sealed."""
    orders = dict(book.orders)
    for name, register in book.orders.items():
        for number, known in register.items():
            if (face := public_face(known)) is not known:
                orders[name] = PersistentMap.of(orders[name]).plus(number, face)
    if all(orders[name] is book.orders[name] for name in orders):
        return book
    return msgspec.structs.replace(book, orders=orders)


def _inner(sealed: OrderSealed, text: str) -> OrderIssued:
    try:
        data = text.encode()
        order = from_json(OrderIssued, parse_canonical(data, path=ORDER), path=ORDER)
    except (InvalidInput, UnicodeEncodeError) as error:
        raise ForgedSeal(f"what is sealed is no order: {error}") from None
    if canonical(order) != data or order.crit:
        raise ForgedSeal(
            "the order inside has fields that this program does not know", remedy="update"
        )
    other = [name for name in _SAME if getattr(order, name) != getattr(sealed, name)]
    if other:
        raise ForgedSeal(f"the order inside is another than the one outside: {', '.join(other)}")
    return order


def _salt(text: str) -> bytes:
    if _SALT.fullmatch(text) is None:
        raise ForgedSeal("the salt of a sealed order is 64 hexadecimal digits")
    return bytes.fromhex(text)
