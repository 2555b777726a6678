"""Countries as people write them: by code, or by their English or Japanese name."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from sekisho.model.countries import COUNTRY_CODES, country_name, is_country

__all__ = ["find_country"]


def find_country(text: str) -> str | None:
    """The code of a country, or None where no country is called so."""
    plain = unicodedata.normalize("NFKC", text).strip()
    if is_country(plain.upper()):
        return plain.upper()
    return _by_name().get(plain.casefold())


@lru_cache(maxsize=1)
def _by_name() -> dict[str, str]:
    return {
        country_name(code, language).casefold(): code
        for code in COUNTRY_CODES
        for language in ("en", "ja")
    }
