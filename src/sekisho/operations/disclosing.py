"""Revealing one concealed field to a reader, and judging such a reveal against the log; what a log holds of a deposit.

A reveal is a small document: which entry, which disclosure, and the entry with its proof, so that it can be judged
without the log. Nothing in it is believed: the reader's own trust root decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

import msgspec

from sekisho.ledger import Cosigned, LogReader, TlogProof, leaf_hash
from sekisho.model.errors import InvalidInput, SekishoError, StateConflict, VerificationError
from sekisho.model.statements import DisclosureDeposited, parse_payload
from sekisho.model.statements.shapes import Digest, Name
from sekisho.model.wire import canonical, decode_base64, encode_base64, from_json, parse_canonical
from sekisho.operations.reading import policy_of, read_state
from sekisho.ports.tile_store import TileStore
from sekisho.signing import (
    Recorded,
    TrustRoot,
    concealed_of,
    open_fields,
    parse_disclosure,
    parse_envelope,
)
from sekisho.signing.deposit import Deposit, check_deposit
from sekisho.signing.deposit_book import DepositBook
from sekisho.signing.disclosure import MAX_TEXT
from sekisho.signing.sealing import DepositKey

__all__ = [
    "Concealed",
    "Reveal",
    "RevealVerdict",
    "find_concealed",
    "judge_reveal",
    "make_reveal",
    "parse_reveal",
]

FORMAT = "sekisho-reveal/v1"
MAX_REVEAL = 256 * 1024
_Verdict: TypeAlias = Literal["holds", "fails", "unverifiable"]


class Reveal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One disclosure and the entry that it belongs to: by leaf and payload digest, and whole with its tlog-proof."""

    format: Literal["sekisho-reveal/v1"] = "sekisho-reveal/v1"
    log: Name
    leaf: Digest
    statement: Digest
    disclosure: str
    envelope: str
    proof: str

    def to_bytes(self) -> bytes:
        return canonical(self)


class RevealVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a disclosure belongs to its entry. `known` says whether the field can have no second value.

    `unopened` counts the entry's other digests, any of which may bear the same name for another reader.
    """

    verdict: _Verdict
    why: str
    name: str = ""
    value: str = ""
    unopened: int = 0
    erased: str | None = None

    @property
    def known(self) -> bool:
        return self.verdict == "holds" and not self.unopened


class Concealed(msgspec.Struct, frozen=True, kw_only=True):
    """What a log, read whole under a trust root, holds of one statement: itself, its deposit, its erasure."""

    cosigned: Cosigned
    recorded: Recorded | None = None
    deposited: DisclosureDeposited | None = None
    holders: tuple[DepositKey, ...] = ()
    erased: str | None = None

    def require(self) -> Recorded:
        """The statement itself. Raises StateConflict where the log does not hold it, or it conceals nothing."""
        if self.recorded is None:
            raise StateConflict(
                f"the log holds no such statement up to size {self.cosigned.checkpoint.size}",
                remedy="name it by its payload's SHA-256, or wait for a newer checkpoint",
            )
        if not concealed_of(self.recorded.verified.predicate):
            raise StateConflict(f"this {self.recorded.verified.kind} conceals nothing")
        return self.recorded

    def require_deposit(self) -> Deposit:
        """Its deposit, as the charter in force then asked. Raises StateConflict where there is none, ForgedDeposit."""
        self.require()
        if self.erased is not None:
            raise StateConflict(f"the fields of this statement were erased: {self.erased}")
        if self.deposited is None:
            raise StateConflict(
                f"nothing is deposited for it up to size {self.cosigned.checkpoint.size}",
                remedy="ask whoever stated it; a demand that fails is a finding",
            )
        deposit = Deposit.from_fact(self.deposited, self.cosigned.checkpoint.origin)
        check_deposit(deposit, self.holders)
        return deposit


class _Search:
    """Hears a log entry by entry, and keeps what is about one statement."""

    def __init__(self, digest: str) -> None:
        self._digest = digest
        self._book = DepositBook()
        self.recorded: Recorded | None = None
        self.deposited: DisclosureDeposited | None = None
        self.holders: tuple[DepositKey, ...] = ()

    def hear(self, entry: Recorded) -> None:
        fact = entry.verified.predicate
        if self._digest in (entry.verified.digest, entry.leaf):
            self.recorded, self._digest = entry, entry.verified.digest
        if isinstance(fact, DisclosureDeposited) and fact.statement == self._digest:
            self.deposited, self.holders = fact, self._book.holders
        self._book = self._book.after(entry)

    @property
    def erased(self) -> str | None:
        basis: str | None = self._book.erased.get(self._digest)
        return basis


def find_concealed(store: TileStore, root: TrustRoot, digest: str) -> Concealed:
    """Read a public log for a statement, by its payload digest or its leaf digest. Raises what `read_state` raises."""
    search = _Search(digest)
    _, cosigned = read_state(store, root, hear=search.hear)
    return Concealed(
        cosigned=cosigned,
        recorded=search.recorded,
        deposited=search.deposited,
        holders=search.holders,
        erased=search.erased,
    )


def make_reveal(
    store: TileStore, root: TrustRoot, digest: str, name: str, kept: Mapping[str, tuple[str, ...]]
) -> Reveal:
    """The one disclosure of a field, with its entry and proof, out of what an operator keeps by payload digest.

    Raises StateConflict where the log holds no such statement or it was erased, InvalidInput for another name.
    """
    found = find_concealed(store, root, digest)
    recorded = found.require()
    if found.erased is not None:
        raise StateConflict(f"the fields of this statement were erased: {found.erased}")
    texts = kept.get(recorded.verified.digest, ())
    chosen = [text for text in texts if parse_disclosure(text).name == name]
    if not chosen:
        known = ", ".join(sorted(parse_disclosure(text).name for text in texts))
        raise InvalidInput(
            f"the statement has no field {name!r} that is kept here",
            path="NAME",
            remedy=f"it has: {known}" if known else "nothing of it is kept here",
        )
    open_fields(texts, concealed_of(recorded.verified.predicate))
    proof = LogReader(store).prove(recorded.index, found.cosigned)
    return Reveal(
        log=root.origin,
        leaf=recorded.leaf,
        statement=recorded.verified.digest,
        disclosure=chosen[0],
        envelope=encode_base64(recorded.verified.envelope.raw),
        proof=proof.to_text(),
    )


def parse_reveal(data: bytes, *, path: str = "") -> Reveal:
    """Read a reveal strictly; nothing is believed yet. Raises InvalidInput with the field's path."""
    reveal = from_json(Reveal, parse_canonical(data, path=path, limit=MAX_REVEAL), path=path)
    if len(reveal.disclosure) > MAX_TEXT:
        raise InvalidInput(f"is longer than {MAX_TEXT} characters", path=f"{path}: disclosure")
    return reveal


def judge_reveal(reveal: Reveal, root: TrustRoot | None, found: Concealed | None) -> RevealVerdict:
    """Whether the disclosure belongs to the entry that it names.

    1. Without a root for its log nothing can be told. 2. The log, where it was read (`found`), else the reveal's own
    proof under the root's witnesses, shows the entry. 3. The entry is the statement that the reveal names. 4. One of
    its digests stands for the disclosure.
    """
    if root is None or root.origin != reveal.log:
        return RevealVerdict(
            verdict="unverifiable", why=f"no trust root of yours is for {reveal.log}"
        )
    try:
        envelope = _entry_of(reveal, root, found)
        if envelope is None:
            return RevealVerdict(
                verdict="unverifiable",
                why=f"the log does not hold entry {reveal.leaf[:16]} up to its checkpoint",
            )
        return _judge_entry(reveal, envelope, found)
    except SekishoError as error:
        return RevealVerdict(verdict="fails", why=f"{type(error).code}: {error.message}")


def _entry_of(reveal: Reveal, root: TrustRoot, found: Concealed | None) -> bytes | None:
    if found is not None:
        return None if found.recorded is None else found.recorded.verified.envelope.raw
    envelope = decode_base64(reveal.envelope, path="envelope")
    TlogProof.from_text(reveal.proof).verify(envelope, policy_of(root))
    return envelope


def _judge_entry(reveal: Reveal, envelope: bytes, found: Concealed | None) -> RevealVerdict:
    statement = parse_payload(parse_envelope(envelope).payload)
    if (leaf_hash(envelope).hex(), statement.digest) != (reveal.leaf, reveal.statement):
        raise VerificationError("the reveal names another entry than the one it shows")
    opened = open_fields([reveal.disclosure], concealed_of(statement.predicate))
    ((name, value),) = opened.fields.items()
    erased = found.erased if found is not None else None
    return RevealVerdict(
        verdict="holds",
        why=f"entry {reveal.leaf[:16]}, a {statement.kind}, carries its digest",
        name=name,
        value=value,
        unopened=opened.unopened,
        erased=erased,
    )
