"""Whose witnesses an agent believes while the log's key or its witnesses change: the charter's chain says it. Pure.

Proofs are made against the newest tree, which the newest charter's witnesses sign; the agent may still stand at an old
charter. Each version carries the quorums of both, so the chain is followed before a proof is looked at; a proof then
must hold under the policy of one of these versions.
"""

from __future__ import annotations

from collections.abc import Iterable

from sekisho.ledger import Cosigned, Policy, TlogProof, leaf_hash
from sekisho.model.errors import BadSignature, SekishoError
from sekisho.model.statements import CharterAdopted, parse_payload_leniently
from sekisho.ports.control import Feed
from sekisho.signing import Recorded, Regime, parse_envelope, root_of
from sekisho.signing.notes import Note

__all__ = ["SeenCheckpoints", "policies_ahead", "policy_of", "verify_by_any"]

MOST_SEEN = 4


def policy_of(terms: CharterAdopted, digest: str) -> Policy:
    """The witness policy that a charter asks for. Raises InvalidInput where its keys are no keys."""
    return Policy.from_text(root_of(terms, digest).witnesses, path="charter.log")


def policies_ahead(regime: Regime, feed: Feed) -> tuple[Policy, ...]:
    """The policies of the charter versions in a feed that follow the one in force, newest first.

    What does not follow ends the chain here; it is refused by name where the item itself is taken.
    """
    found: list[Policy] = []
    for item in feed.items:
        terms = _charter_in(item.envelope)
        known = regime.charter.terms.version if regime.charter is not None else 0
        if terms is None or terms.version <= known:
            continue
        try:
            verified = regime.verify(item.envelope)
            leaf = leaf_hash(item.envelope).hex()
            regime = regime.after(Recorded(index=-1, leaf=leaf, verified=verified))
            if terms.version > 1:
                found.append(policy_of(terms, verified.digest))
        except SekishoError:
            break
    return tuple(reversed(found))


def _charter_in(envelope: bytes) -> CharterAdopted | None:
    """The charter that an envelope claims to carry; nothing is verified."""
    try:
        statement, _ = parse_payload_leniently(parse_envelope(envelope).payload)
    except SekishoError:
        return None
    return statement.predicate if isinstance(statement.predicate, CharterAdopted) else None


class SeenCheckpoints:
    """The checkpoints that one reader verified last: proofs come many to a checkpoint, and it is verified once."""

    def __init__(self) -> None:
        self._seen: tuple[tuple[Policy, Note, Cosigned], ...] = ()

    def verify(self, note: Note, policy: Policy) -> Cosigned:
        """As `policy.verify_cosigned`, for the very same policy and note only once in a while."""
        for known, seen, cosigned in self._seen:
            if known is policy and seen == note:
                return cosigned
        cosigned = policy.verify_cosigned(note)
        self._seen = ((policy, note, cosigned), *self._seen[: MOST_SEEN - 1])
        return cosigned


def verify_by_any(
    proof: TlogProof,
    envelope: bytes,
    policies: Iterable[Policy],
    seen: SeenCheckpoints | None = None,
) -> tuple[Cosigned, Policy]:
    """The checkpoint that proves an entry, and the first policy under which it does; raises the first one's error."""
    seen = seen or SeenCheckpoints()
    failure: SekishoError | None = None
    for policy in policies:
        try:
            cosigned = seen.verify(proof.note, policy)
            proof.verify_inclusion(envelope, cosigned.checkpoint)
            return cosigned, policy
        except SekishoError as error:
            failure = failure or error
    raise failure or BadSignature("no policy to verify by")
