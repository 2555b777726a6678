"""A page of the feed as hosts are sent it: the answer of a long poll, and the body of a push."""

from __future__ import annotations

import msgspec

from sekisho.model.wire import encode_base64
from sekisho.operations.feed import FeedPage

__all__ = ["encode_page"]


def encode_page(page: FeedPage) -> bytes:
    """The JSON of a page: each envelope in base64, everything else of an item as it is."""
    items = [
        {**msgspec.structs.asdict(item), "envelope": encode_base64(item.envelope)}
        for item in page.items
    ]
    return msgspec.json.encode({"next": page.next, "items": items, "checkpoint": page.checkpoint})
