"""Findings about the books of chips: one statement for each thing that does not fit, its detail concealed.

Salts are derived under the registry's tag key from what the finding says, so that a finding stated again after a crash
has the same bytes, and nobody without that key can test a guess against it.
"""

from __future__ import annotations

import threading
from typing import Final

from sekisho.ledger.sequencer import UniquenessConflict
from sekisho.model.instants import Instant
from sekisho.model.statements import IrregularityFound, IrregularityIn
from sekisho.model.wire import canonical, sha256_hex
from sekisho.operations.desk import Admitted, Desk
from sekisho.registry.irregularity import about_digest
from sekisho.signing import Recorded, conceal
from sekisho.signing.tag import TagKey

__all__ = ["Irregularities"]

MAX_DETAIL: Final = 6_000
"""Characters; what is longer is cut, so that a deposit holds it."""
_SALT_BYTES: Final = 16


class Irregularities:
    """States findings in one desk's log, each once. Make it before the desk loads."""

    def __init__(self, desk: Desk, tag_key: TagKey) -> None:
        self._desk = desk
        self._tag_key = tag_key
        self._lock = threading.Lock()
        # By `about`: some 200 bytes each, and there is one for each finding, not for each batch.
        self._found: dict[str, Admitted] = {}
        desk.on_recorded(self._take)

    def raise_irregularity(
        self,
        books: IrregularityIn,
        code: str,
        about: str,
        detail: str,
        *,
        at: Instant | None = None,
        count: int = 1,
    ) -> Admitted:
        """State that something does not fit; what was stated before under the same three words is the answer again.

        `about` names what it is about for whoever has the disclosure: a chip, a movement, a report. `at` is when it was
        noticed (default: now). Raises what the desk raises.
        """
        detail = detail if len(detail) <= MAX_DETAIL else detail[: MAX_DETAIL - 1] + "…"
        salt = self._salt("about", [books, code, about])
        digest = about_digest(salt, books, code, about)
        known = self._found.get(digest)
        if known is not None:
            return known
        named, about_text = conceal("about", about, salt)
        told, detail_text = conceal(
            "detail", detail, self._salt("detail", [books, code, about, detail])
        )
        fact = IrregularityFound(
            effective=at or self._desk.clock.now(),
            irregularity=code,
            books=books,
            about=digest,
            count=count,
            concealed=tuple(sorted((named, told))),
        )
        try:
            return self._desk.state_fact(fact, disclosures=(about_text.text, detail_text.text))
        except UniquenessConflict:
            # Another thread was first, with another detail or at another moment.
            known = self._found.get(digest)
            if known is None:
                raise
            return known

    def _salt(self, what: str, words: list[str]) -> bytes:
        tag = self._tag_key.tag(f"irregularity-{what}", sha256_hex(canonical(words)))
        return bytes.fromhex(tag)[:_SALT_BYTES]

    def _take(self, recorded: Recorded) -> None:
        fact = recorded.verified.predicate
        if isinstance(fact, IrregularityFound):
            with self._lock:
                self._found[fact.about] = Admitted(
                    index=recorded.index,
                    leaf=recorded.leaf,
                    digest=recorded.verified.digest,
                    fresh=False,
                )
