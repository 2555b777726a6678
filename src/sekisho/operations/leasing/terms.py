"""An issuer's term: claimed durably before the first grant, so that whoever held it before is told from its ghost."""

from __future__ import annotations

from sekisho.licensing import StaleTerm
from sekisho.model.errors import StateConflict
from sekisho.model.wire import sha256_hex
from sekisho.operations.state import State
from sekisho.ports.private_store import Paper, PrivateStore

__all__ = ["claim_term", "verify_term"]

MAX_CLAIMS = 1_000


def claim_term(private: PrivateStore, state: State, issuer: str, claim: bytes) -> int:
    """The next term of an issuer's key, taken for good: above all that log and private store know of.

    `claim` is drawn at random: where two processes want one term, the store keeps the first and the other takes the
    next. Raises StateConflict where that happens without end.
    """
    kept = [paper.number for paper in private.load_papers("term", issuer)]
    newest = max([state.licences.terms.get(issuer, 0), *kept])
    for term in range(newest + 1, newest + 1 + MAX_CLAIMS):
        digest = sha256_hex(f"{issuer} {term}".encode())
        # Crash here: the term is claimed and nothing is granted under it; the next start takes the one after.
        private.save_paper(
            Paper(kind="term", host=issuer, number=term, digest=digest, envelope=claim)
        )
        mine = private.find_paper("term", digest)
        if mine is not None and mine.envelope == claim:
            return term
    raise StateConflict(
        f"{MAX_CLAIMS} terms above {newest} are claimed by others",
        remedy="stop the other processes that grant under this key",
    )


def verify_term(state: State, issuer: str, term: int) -> None:
    """Raise StaleTerm where this issuer granted under a higher term: another process took over."""
    newest = state.licences.terms.get(issuer, 0)
    if newest > term:
        raise StaleTerm(
            f"this process grants under term {term}, its key is at term {newest}",
            remedy="another process took over: stop this one, or start it anew to take the next term",
        )
