"""A log's folder over HTTP, for reading: what any web server would do, and no more. A bare ASGI application.

Only two kinds of path exist: `/checkpoint`, and tiles and bundles that the checkpoint promises. What lies in the folder
beyond it (a crash may have left it) is not there. Source: C2SP tlog-tiles v0.1.0.
"""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from sekisho.ledger.checkpoint import Checkpoint
from sekisho.ledger.tiles import CHECKPOINT_PATH, MAX_BUNDLE_BYTES, TILE_WIDTH, Tile
from sekisho.model.errors import InvalidInput, SekishoError, Unavailable
from sekisho.ports.tile_store import NotStored, TileStore
from sekisho.signing.notes import MAX_NOTE_BYTES, Note

__all__ = ["LogFiles"]

_TEXT, _BYTES = "text/plain; charset=utf-8", "application/octet-stream"
_FOR_EVER = "public, max-age=31536000, immutable"
_FOR_A_WEEK = (
    "public, max-age=604800"  # a partial tile never changes, but goes when the full one is there
)
_NEVER = "no-cache"

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class _Answer(msgspec.Struct, frozen=True, kw_only=True):
    status: int
    body: bytes
    kind: str = _TEXT
    cache: str = _NEVER
    packed: bool = False


class LogFiles:
    """Serves one log's folder. Whole files only, GET and HEAD only, bundles gzipped for whoever takes that."""

    def __init__(self, tiles: TileStore) -> None:
        self._tiles = tiles

    async def __call__(self, scope: dict[str, Any], _: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        if scope["method"] not in ("GET", "HEAD"):
            answer = _Answer(status=405, body=b"GET and HEAD only\n")
        else:
            packed = b"gzip" in dict(scope["headers"]).get(b"accept-encoding", b"")
            answer = await asyncio.to_thread(self.answer, scope["path"], packed=packed)
        await _respond(send, answer, with_body=scope["method"] != "HEAD")

    def answer(self, path: str, *, packed: bool = False) -> _Answer:
        """What stands at a path, as `/tile/0/000`."""
        try:
            if path == f"/{CHECKPOINT_PATH}":
                return _Answer(status=200, body=self._tiles.read(CHECKPOINT_PATH, MAX_NOTE_BYTES))
            return self._tile(path.removeprefix("/"), packed=packed)
        except (NotStored, InvalidInput):
            return _Answer(status=404, body=b"no such file\n")
        except Unavailable:
            return _Answer(status=503, body=b"try again later\n")
        except SekishoError:
            return _Answer(status=500, body=b"this log is damaged\n")

    def _tile(self, path: str, *, packed: bool) -> _Answer:
        tile = Tile.from_path(path)
        raw = self._tiles.read(CHECKPOINT_PATH, MAX_NOTE_BYTES)
        promised = Checkpoint.from_text(Note.from_bytes(raw).text).size >> (8 * (tile.level or 0))
        if tile.index * TILE_WIDTH + tile.width > promised:
            raise NotStored(f"{path} is beyond the checkpoint")
        data = self._tiles.read(path, MAX_BUNDLE_BYTES)
        packed = packed and tile.level is None
        return _Answer(
            status=200,
            body=gzip.compress(data, 1, mtime=0) if packed else data,
            kind=_BYTES,
            cache=_FOR_EVER if tile.width == TILE_WIDTH else _FOR_A_WEEK,
            packed=packed,
        )


async def _respond(send: Send, answer: _Answer, *, with_body: bool) -> None:
    headers = [
        (b"content-type", answer.kind.encode("ascii")),
        (b"content-length", str(len(answer.body)).encode("ascii")),
        (b"cache-control", answer.cache.encode("ascii")),
        (b"x-content-type-options", b"nosniff"),
        (b"vary", b"accept-encoding"),
    ]
    headers += [(b"content-encoding", b"gzip")] if answer.packed else []
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body if with_body else b""})
