"""What the access gate adds to a request of an inference server: to its first word, and to each chunk of a stream.

Everything in one process and one thread: an application that answers at once, with the gate and without it, in turns.
The picture is a signed file as an access point writes it, with 64 models and eight orders of 200 classes each; the
requests go round all models and 300 classes, so that some are refused. Network and model are not in it.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from row import Row, Target, row_of

from sekisho.access import AccessGate, AccessPicture, PictureFile, UserClass
from sekisho.access.picture import AccessOrder, ServedModel
from sekisho.access.shown import sign_picture
from sekisho.access.source import system_now
from sekisho.model.statements import AccessTerms, OrderReference
from sekisho.signing import Ed25519Signer

__all__ = ["measure_gate"]

Message = MutableMapping[str, Any]
App = Callable[[Any, Any, Any], Awaitable[None]]
MODELS, ORDERS, CLASSES, CHUNKS = 64, 8, 200, 200
ADDED = Target(median=1.0)
START: Message = {"type": "http.response.start", "status": 200, "headers": []}


def measure_gate(rounds: int) -> list[Row]:
    """Added milliseconds: of a request by the gate (its whole run less the bare one's), and of one chunk."""
    with tempfile.TemporaryDirectory(prefix="sekisho-bench-") as folder:
        return asyncio.run(_measure(Path(folder), rounds))


async def _measure(folder: Path, rounds: int) -> list[Row]:
    source = _show(folder)
    whole, stream = _answering(0), _answering(CHUNKS)
    added: dict[str, list[float]] = {"request": [], "chunk": []}
    gates = {id(app): _gate(app, source, folder) for app in (whole, stream)}
    for number in range(rounds):
        scope: Message = {"type": "http", "path": "/", "headers": [], "number": number}
        for app, name, share in ((whole, "request", 1), (stream, "chunk", CHUNKS)):
            if name == "chunk" and number % 20:
                continue
            bare = await _time(app, scope)
            gated = await _time(gates[id(app)], scope)
            added[name].append((gated - bare) * 1_000 / share)
    return [
        row_of("access gate: added to a request", "ms", added["request"], ADDED),
        row_of("access gate: added to each chunk of a stream", "ms", added["chunk"], ADDED),
    ]


def _gate(app: App, source: PictureFile, folder: Path) -> AccessGate:
    users = [UserClass(nationality=_country(n), asserted_by="kyc") for n in range(300)]
    return AccessGate(
        app,
        picture=source,
        classify=lambda scope: users[scope["number"] % len(users)],
        model=lambda scope: f"model-{scope['number'] % MODELS}",
        counts=folder,
    )


def _show(folder: Path) -> PictureFile:
    signer = Ed25519Signer(Ed25519PrivateKey.generate())
    now = system_now()
    orders = tuple(
        AccessOrder(
            order=OrderReference(register="suspend-access/XX", number=number + 1, digest="0" * 64),
            terms=AccessTerms(nationalities=tuple(_country(n) for n in range(CLASSES))),
            legal_basis="Act, section 1",
            appeal="in writing",
            expires=now.plus(3_600),
        )
        for number in range(ORDERS)
    )
    models = tuple(
        ServedModel(model=f"model-{n}", state="restricted", orders=orders) for n in range(MODELS)
    )
    picture = AccessPicture(
        host="host-1", log="log", sequence=1, written=now, until=now.plus(3_600), models=models
    )
    path = folder / "access.json"
    path.write_bytes(sign_picture(picture, signer))
    return PictureFile(path, signer.public)


def _country(number: int) -> str:
    return chr(65 + number // 26 % 26) + chr(65 + number % 26)


def _answering(chunks: int) -> App:
    async def app(_: Any, __: Any, send: Any) -> None:
        await send(START)
        for _number in range(chunks):
            await send({"type": "http.response.body", "body": b"token", "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    return app


async def _time(app: App, scope: Message) -> float:
    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(_: Message) -> None:
        return None

    began = time.perf_counter()
    await app(scope, receive, send)
    return time.perf_counter() - began
