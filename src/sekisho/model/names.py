"""Names as they are counted: two spellings that a person takes for one name are one name."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

__all__ = ["fold_name"]


@lru_cache(maxsize=65536)
def fold_name(name: str) -> str:
    """Full-width letters, capitals, spaces and what nobody sees make no other name; "" where nothing is left."""
    plain = unicodedata.normalize("NFKC", name)
    seen = "".join(c for c in plain if c.isspace() or unicodedata.category(c)[0] != "C")
    return " ".join(unicodedata.normalize("NFKC", seen.casefold()).split())
