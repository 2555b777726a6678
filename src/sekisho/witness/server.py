"""The witness over HTTP: one route, add-checkpoint, as a bare ASGI application."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from sekisho.ledger.witness import (
    MAX_REQUEST_BYTES,
    PLAIN_TYPE,
    Granted,
    Refused,
    decide,
    parse_request,
)
from sekisho.model.errors import InvalidInput, SekishoError
from sekisho.signing.notes import Note, NoteSigner, VerifierKey
from sekisho.witness.memory import WitnessMemory

__all__ = ["WitnessApp"]

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class WitnessApp:
    """Answers add-checkpoint for the logs named by origin, with one line of each signer. `now`: the POSIX second.

    Several signers are one witness: an Ed25519 and an ML-DSA-44 key, an old and a new one. One request at a time:
    checking the old size, storing the new note and cosigning are one step, or two requests could together roll the
    witness back.
    """

    def __init__(
        self,
        *,
        signers: Sequence[NoteSigner],
        logs: Mapping[str, tuple[VerifierKey, ...]],
        memory: WitnessMemory,
        now: Callable[[], int],
    ) -> None:
        self._signers = tuple(signers)
        self._logs = logs
        self._memory = memory
        self._now = now
        self._held: dict[str, Note | None] = {
            origin: memory.load(origin, keys) for origin, keys in logs.items()
        }
        self._one_at_a_time = asyncio.Lock()

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _answer_lifespan(receive, send)
            return
        if scope["type"] != "http":
            return
        if scope["path"].rsplit("/", 1)[-1] != "add-checkpoint":
            await _respond(send, Refused(status=404, body="no such page\n"))
        elif scope["method"] != "POST":
            await _respond(send, Refused(status=405, body="POST only\n"))
        else:
            raw = await _read_body(receive)
            async with self._one_at_a_time:
                answer = Refused(status=400, body="too long\n") if raw is None else self.answer(raw)
            await _respond(send, answer)

    def answer(self, raw: bytes) -> Refused | bytes:
        """Decide, store, cosign: the signature lines, or the refusal."""
        try:
            request = parse_request(raw)
            origin = request.checkpoint.origin
            decision = decide(request, self._logs, self._held.get(origin))
            if isinstance(decision, Refused):
                if decision.evidence is not None:
                    self._memory.keep_evidence(decision.evidence)
                return decision
            return self._cosign(decision)
        except InvalidInput as error:
            return Refused(status=400, body=f"{error}\n")
        except SekishoError as error:
            return Refused(status=503, body=f"{error.code}\n")

    def _cosign(self, granted: Granted) -> bytes:
        origin, held = granted.checkpoint.origin, self._held.get(granted.checkpoint.origin)
        if held is None or held.text != granted.note.text:
            self._memory.save(granted.checkpoint, granted.note)
            self._held[origin] = granted.note
        # Crash here: remembered and not answered; the log asks again from this size and is answered.
        text, now = granted.note.text, self._now()
        return "".join(s.sign(text, timestamp=now).to_line() for s in self._signers).encode()


async def _read_body(receive: Receive) -> bytes | None:
    """The whole body; None where it is longer than any request may be."""
    body = b""
    while True:
        message = await receive()
        part: bytes = message.get("body", b"")
        body += part
        if len(body) > MAX_REQUEST_BYTES:
            return None
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            return body


async def _respond(send: Send, answer: Refused | bytes) -> None:
    if isinstance(answer, bytes):
        status, kind, body = 200, PLAIN_TYPE, answer
    else:
        status, kind, body = answer.status, answer.content_type, answer.body.encode()
    headers = [
        (b"content-type", kind.encode("ascii")),
        (b"content-length", str(len(body)).encode("ascii")),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _answer_lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
