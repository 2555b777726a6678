"""What a log of its own lets in: envelopes that enough of the named keys signed. Pure.

It judges signatures, not meaning: a regime's own log is fed by its control plane, which judges both.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from sekisho.model.errors import InvalidInput, NotAuthorised
from sekisho.model.wire import from_json, parse_json
from sekisho.ports.log_store import Submission
from sekisho.signing import PublicKey, distinct_signers, parse_envelope

__all__ = ["Gate", "parse_gate"]

MAX_KEYS = 64
SPARE = 4
"""So many signatures more than asked for are looked at: each is tried against every key, by anybody's sending."""


class _GateFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    keys: tuple[str, ...]
    quorum: int


class Gate:
    """`quorum` distinct keys of `keys` must have signed an envelope."""

    def __init__(self, keys: Sequence[PublicKey], quorum: int, *, path: str = "quorum") -> None:
        """Raises InvalidInput where the quorum can never be met, or asks for nothing."""
        distinct = {key.key_id: key for key in keys}
        if not 1 <= quorum <= len(distinct):
            raise InvalidInput(
                f"a quorum of {quorum} of {len(distinct)} distinct keys",
                path=path,
                remedy="ask for at least one key, and for no more than are listed",
            )
        self._keys = tuple(distinct.values())
        self._quorum = quorum

    def judge(self, raw: bytes, *, path: str = "") -> Submission:
        """The submission that an envelope is. Raises InvalidInput, or NotAuthorised naming what is missing."""
        envelope = parse_envelope(raw, path=path)
        if len(envelope.signatures) > self._quorum + SPARE:
            raise InvalidInput(
                f"{len(envelope.signatures)} signatures, where {self._quorum} are asked for",
                path=path,
                remedy=f"send at most {self._quorum + SPARE}",
            )
        signers = distinct_signers(envelope, self._keys)
        if len(signers) < self._quorum:
            raise NotAuthorised(
                f"{len(signers)} of {self._quorum} signatures asked for are by keys of this log"
            )
        return Submission(envelope=raw, payload_sha256=bytes.fromhex(envelope.digest))


def parse_gate(raw: bytes, *, path: str) -> Gate:
    """Read `{"keys":[<SPKI in base64>, ...],"quorum":k}`. Raises InvalidInput with `path`."""
    form = from_json(_GateFile, parse_json(raw, path=path, limit=1 << 20), path=path)
    if len(form.keys) > MAX_KEYS:
        raise InvalidInput(f"more than {MAX_KEYS} keys", path=f"{path}.keys")
    keys = [PublicKey.from_text(text, path=f"{path}.keys[{n}]") for n, text in enumerate(form.keys)]
    return Gate(keys, form.quorum, path=f"{path}.quorum")
