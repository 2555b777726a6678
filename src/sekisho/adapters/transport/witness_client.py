"""A witness reached over HTTP (C2SP tlog-witness)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import httpx

from sekisho.adapters.transport.bounded_body import ACCEPTED, read_body
from sekisho.adapters.transport.whole_time import TimedTransport, within
from sekisho.ledger.proof import MAX_PROOF_HASHES
from sekisho.model.errors import InvalidInput, Unavailable
from sekisho.model.wire import encode_base64
from sekisho.ports.witness import WitnessConflict, WitnessRefused
from sekisho.signing.notes import parse_decimal

__all__ = ["HttpWitness"]

MAX_ANSWER_BYTES = 256 * 1024
WHOLE_S = 10.0
SIZE_TYPE = "text/x.tlog.size"
_OK, _CONFLICT = 200, 409
_FIRST_REFUSAL, _FIRST_FAILURE = 400, 500


class HttpWitness:
    """A `Witness` at a submission prefix, as `http://127.0.0.1:7001`; the connection is kept open."""

    def __init__(self, url: str, *, timeout_s: float = 5.0) -> None:
        self.url = url.rstrip("/")
        # trust_env=False: a witness is reached directly, never through a proxy that the environment names.
        self._client = httpx.Client(
            timeout=timeout_s,
            trust_env=False,
            follow_redirects=False,
            headers=ACCEPTED,
            transport=TimedTransport(),
        )

    def close(self) -> None:
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def add_checkpoint(self, old_size: int, proof: Sequence[bytes], note: bytes) -> bytes:
        status, kind, body = self._post(format_request(old_size, proof, note))
        if status == _OK:
            return body
        told = f"{self.url} answered {status}: {body[:200].decode('utf-8', 'replace').strip()}"
        if status == _CONFLICT:
            raise WitnessConflict(told, size=self._parse_size(kind, body))
        if _FIRST_REFUSAL <= status < _FIRST_FAILURE:
            raise WitnessRefused(told, status=status)
        raise Unavailable(told, remedy="it is tried again")

    def _post(self, request: bytes) -> tuple[int, str, bytes]:
        try:
            with (
                within(WHOLE_S),
                self._client.stream(
                    "POST", f"{self.url}/add-checkpoint", content=request
                ) as response,
            ):
                body = read_body(response, MAX_ANSWER_BYTES, within_s=WHOLE_S, path=self.url)
                return response.status_code, response.headers.get("content-type", ""), body
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unavailable(
                f"{self.url} does not answer: {error}", remedy="it is tried again"
            ) from None

    def _parse_size(self, kind: str, body: bytes) -> int:
        if kind.partition(";")[0].strip() != SIZE_TYPE or not body.endswith(b"\n"):
            raise InvalidInput(
                f"a conflict that does not say its size as {SIZE_TYPE}", path=self.url
            )
        return parse_decimal(body[:-1].decode("ascii", "replace"), path=self.url)


def format_request(old_size: int, proof: Sequence[bytes], note: bytes) -> bytes:
    """The body of add-checkpoint: where the witness stands, the proof from there, a blank line, the note.

    Raises InvalidInput for a proof of more than 63 hashes, which no witness may be sent.
    """
    if len(proof) > MAX_PROOF_HASHES:
        raise InvalidInput(f"{len(proof)} hashes; a witness takes at most {MAX_PROOF_HASHES}")
    lines = [f"old {old_size}", *(encode_base64(item) for item in proof)]
    return ("\n".join(lines) + "\n\n").encode() + note
