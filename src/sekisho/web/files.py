"""Files as they lie: the public log's checkpoint and tiles for anybody, and what our own pages load."""

from __future__ import annotations

from typing import Final

from litestar import Response, get
from litestar.params import FromPath

from sekisho.ledger import Tile
from sekisho.ledger.tiles import CHECKPOINT_PATH, MAX_BUNDLE_BYTES
from sekisho.model.errors import InvalidInput
from sekisho.signing.notes import MAX_NOTE_BYTES
from sekisho.web.plane import Lent, Plane
from sekisho.web.problems import NotFound

__all__ = ["serve_asset", "serve_log_file"]

_FOR_EVER: Final = "public, max-age=31536000, immutable"
_EACH_TIME: Final = "no-cache"


@get("/log/{path:path}", include_in_schema=False, sync_to_thread=True)
def serve_log_file(path: FromPath[str], plane: Lent) -> Response[bytes]:
    """The checkpoint, a tile or an entry bundle of the public log, and nothing else in the folder.

    A tile never changes once it is there, so it may be kept for ever; the checkpoint is asked for each time. Only
    the one spelling of each tile's path is answered, so no path leads out of the folder.
    """
    name = path.removeprefix("/")
    if name == CHECKPOINT_PATH:
        return _file(plane, name, MAX_NOTE_BYTES, "text/plain", _EACH_TIME)
    try:
        tile = Tile.from_path(name)
    except InvalidInput:
        raise NotFound("no such file is in the public log") from None
    return _file(plane, tile.to_path(), MAX_BUNDLE_BYTES, "application/octet-stream", _FOR_EVER)


@get("/static/{path:path}", include_in_schema=False, sync_to_thread=False)
def serve_asset(path: FromPath[str], plane: Lent) -> Response[bytes]:
    """A style sheet, script or picture of our pages; its address carries its digest, so it may be kept for ever."""
    asset = plane.renderer.assets.get(path.removeprefix("/"))
    if asset is None:
        raise NotFound("no such file")
    return Response(
        content=asset.content,
        media_type=asset.content_type,
        headers={"cache-control": _FOR_EVER},
    )


def _file(plane: Plane, path: str, limit: int, content_type: str, cache: str) -> Response[bytes]:
    return Response(
        content=plane.control.tiles.read(path, limit),
        media_type=content_type,
        headers={"cache-control": cache, "access-control-allow-origin": "*"},
    )
