"""A log's own counter in tests: keys that may write, envelopes, and the application called in process."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from sekisho.intake import Gate, IntakeApp
from sekisho.ledger.line import Line
from sekisho.signing import Ed25519Signer, sign_payload
from tests.factory import signer
from tests.ledger.logs import MemoryLog

WRITERS = tuple(signer(f"writer {number}") for number in range(3))
STRANGER = signer("stranger")


def gate(quorum: int = 2) -> Gate:
    """Two of the three writers, or as many as said."""
    return Gate([writer.public for writer in WRITERS], quorum)


def envelope(name: str, *signers: Ed25519Signer, size: int = 0) -> bytes:
    """A payload named `name` of at least `size` bytes, by two writers unless said otherwise."""
    payload = name.encode().ljust(size, b".")
    return sign_payload(payload, signers or WRITERS[:2]).raw


class Answer(msgspec.Struct, frozen=True):
    """What came back over HTTP."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return msgspec.json.decode(self.body)

    def lines(self) -> list[Any]:
        return [msgspec.json.decode(line) for line in self.body.splitlines()]


async def serve_elsewhere(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """What stands behind the counter: says which path it was asked for."""
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    headers = [(b"content-type", b"text/plain")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": f"public {scope['path']}".encode()})


class Counter:
    """A counter over a new log in memory."""

    def __init__(self, *, who: Gate | None = None, line: Line | None = None) -> None:
        self.log = MemoryLog(line=line)
        self.log.sequencer.recover()
        self.app = IntakeApp(
            gate=who or gate(), sequencer=self.log.sequencer, public=serve_elsewhere
        )

    def ask(
        self,
        body: bytes,
        *,
        kind: str = "application/json",
        path: str = "/add",
        method: str = "POST",
    ) -> Answer:
        """One request, its body in one piece."""
        return asyncio.run(self.asking([body], kind=kind, path=path, method=method))

    def ask_lines(self, lines: Iterable[bytes]) -> Answer:
        """One request of one envelope a line."""
        return self.ask(b"".join(line + b"\n" for line in lines), kind="application/jsonl")

    async def asking(
        self,
        parts: Sequence[bytes],
        *,
        kind: str = "application/json",
        path: str = "/add",
        method: str = "POST",
        breaks_off: bool = False,
    ) -> Answer:
        """One request whose body comes in parts, as a server would hand it in."""
        messages: list[dict[str, Any]] = [
            {"type": "http.request", "body": part, "more_body": breaks_off or n < len(parts)}
            for n, part in enumerate(parts, 1)
        ]
        if breaks_off:
            messages.append({"type": "http.disconnect"})
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return messages.pop(0)

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "headers": [(b"content-type", kind.encode())],
        }
        await self.app(scope, receive, send)
        head, body = sent
        return Answer(
            status=head["status"],
            headers={name.decode(): value.decode() for name, value in head["headers"]},
            body=body["body"],
        )
