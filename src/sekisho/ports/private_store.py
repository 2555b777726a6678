"""What an operator keeps and the log never sees: disclosures, receipts, requests, acknowledgements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

import msgspec

__all__ = ["Paper", "PaperKind", "PrivateStore"]

PaperKind = Literal["request", "receipt", "acknowledgement", "fork", "term"]


class Paper(msgspec.Struct, frozen=True, kw_only=True):
    """One signed envelope of a host's dealings; `number` is its lease number or its receipt's sequence.

    A `fork` is a receipt whose sequence another receipt already holds: evidence, kept beside the chain. A `term` is no
    envelope but an issuer's claim: `host` is its key id, `number` the term, `digest` names both, first come first kept.
    """

    kind: PaperKind
    host: str
    number: int
    digest: str
    envelope: bytes


class PrivateStore(Protocol):
    """Every write is durable before it returns; writing the same again is harmless.

    Disclosures are kept under the payload digest of the statement that conceals them, and are saved before that
    statement enters the log: a crash in between leaves an orphan, never a concealed amount that nobody can open.
    """

    def save_disclosures(self, digest: str, texts: Sequence[str]) -> None: ...

    def load_disclosures(self) -> dict[str, tuple[str, ...]]: ...

    def erase_disclosures(self, digest: str) -> None:
        """Destroy a statement's disclosures, so that no byte of them is left in the store; nothing there is fine."""
        ...

    def save_paper(self, paper: Paper) -> None: ...

    def save_all(self, disclosures: Mapping[str, Sequence[str]], papers: Sequence[Paper]) -> None:
        """All of them or none, durable at once: what many threads wait for costs one sync."""
        ...

    def load_papers(self, kind: PaperKind, host: str | None = None) -> list[Paper]: ...

    def find_paper(self, kind: PaperKind, digest: str) -> Paper | None: ...
