"""Countries by their ISO 3166-1 alpha-2 codes, with their names in English and Japanese."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from importlib import resources
from typing import Final, Literal

from sekisho.model.errors import InvalidInput

__all__ = ["COUNTRY_CODES", "check_country", "check_jurisdiction", "country_name", "is_country"]

# "EU" is reserved in ISO 3166-1 and names no country: law reaches there, goods go to a member.
_UNIONS: Final[Mapping[str, tuple[str, str]]] = {"EU": ("European Union", "欧州連合")}


# States, the district and outlying areas by ISO 3166-2:US. Rules look for parts of this country alone, and a part that
# does not exist lies in none of them.
_US_PARTS: Final = frozenset(
    (
        "AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK "
        "OR PA RI SC SD TN TX UT VT VA WA WV WI WY DC AS GU MP PR UM VI"
    ).split()
)


def _read() -> dict[str, tuple[str, str]]:
    """Code to English and Japanese name: part of the code, read once."""
    text = resources.files("sekisho.model").joinpath("countries.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return {row["code"]: (row["en"], row["ja"]) for row in rows}


_NAMES: Final[Mapping[str, tuple[str, str]]] = _read()
COUNTRY_CODES: Final[tuple[str, ...]] = tuple(_NAMES)


def is_country(code: str) -> bool:
    """Whether the code is one of ISO 3166-1 alpha-2, in capitals."""
    return code in _NAMES


def country_name(code: str, language: Literal["en", "ja"] = "en") -> str:
    """The short name that people use. Raises InvalidInput for what is neither a country nor the EU."""
    names = _NAMES.get(code) or _UNIONS.get(code)
    if names is None:
        check_country(code)
        raise KeyError(code)  # never reached: every country has its names
    return names[language == "ja"]


def check_country(code: str, *, path: str = "") -> None:
    """Refuses what is no country's code. Raises InvalidInput with path and remedy."""
    if code not in _NAMES:
        raise InvalidInput(f"{code[:20]!r} is no country", path=path, remedy=_remedy(code))


def check_jurisdiction(code: str, *, path: str = "") -> None:
    """Refuses what is neither a country, a part of one (US-CA) nor the EU. Raises InvalidInput."""
    country, _, part = code.partition("-")
    if country not in _NAMES and code not in _UNIONS:
        raise InvalidInput(f"{code[:20]!r} is no jurisdiction", path=path, remedy=_remedy(code))
    if country == "US" and part and part not in _US_PARTS:
        raise InvalidInput(
            f"{code[:20]!r} is no part of the United States",
            path=path,
            remedy="write the state's two letters, such as US-CA, or US alone",
        )


def _remedy(code: str) -> str:
    """What to write instead: capitals, the code behind a name, or where codes are found."""
    if code.upper() in _NAMES:
        return f"write it in capitals: {code.upper()}"
    if code in _UNIONS:
        return "name the member state; only `jurisdictions` takes EU"
    folded = code.casefold()
    named = next(
        (key for key, names in _NAMES.items() if folded in (n.casefold() for n in names)), ""
    )
    if named or folded in _USUAL:
        return f"write {named or _USUAL[folded]}"
    return "write the two capital letters of ISO 3166-1, such as JP"


_USUAL: Final[Mapping[str, str]] = {"uk": "GB", "usa": "US", "prc": "CN", "rok": "KR", "uae": "AE"}
