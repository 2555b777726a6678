"""A statement read as if its signatures were right, and the signatures on which that rests.

Trying a signature takes three quarters of the time of reading a request, and can be done elsewhere, many at a time. So
this reads first and names what must still be tried. Whoever asks holds back what is supposed until each row is known to
be right; where one is not, `Regime.verify` says what is wrong.
"""

from __future__ import annotations

import msgspec

from sekisho.signing.keys import PublicKey
from sekisho.signing.recorded import Verified
from sekisho.signing.regime import Regime

__all__ = ["Supposed", "suppose"]


class Supposed(msgspec.Struct, frozen=True, kw_only=True):
    """`verified` is what `Regime.verify` would return if each of `rows` is right, and nothing otherwise.

    A row is the SPKI of a key, a signature, and the bytes that it must be over.
    """

    verified: Verified
    rows: tuple[tuple[bytes, bytes, bytes], ...]


def suppose(regime: Regime, raw: bytes, kinds: frozenset[str]) -> Supposed:
    """Read a statement of one of these kinds, and leave its signatures untried. Raises what `Regime.verify` does."""
    rows: list[tuple[bytes, bytes, bytes]] = []

    def note(key: PublicKey, signature: bytes, data: bytes) -> bool:
        rows.append((key.spki, signature, data))
        return True

    verified = regime.verify(raw, kinds=kinds, is_signed=note)
    return Supposed(verified=verified, rows=tuple(rows))
