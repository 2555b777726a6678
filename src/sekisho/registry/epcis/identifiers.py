"""GS1 identifiers in their one canonical spelling: EPC URNs and Digital Links of any domain become one Digital Link.

Source: GS1 EPC Tag Data Standard (URNs), GS1 Digital Link URI Syntax 1.2 section 4.11, CBV 2.0 (which keys and key
qualifiers a hashed link keeps). An identifier that is none of GS1's stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, NamedTuple, TypeGuard
from urllib.parse import quote, unquote

__all__ = ["canonical_identifier", "check_digit", "is_uri"]

_HOME: Final = "https://id.gs1.org"
# RFC 3986: ASCII only, so that no look-alike letter gets in; spaces, quotes and braces are never part of a URI.
_URI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[!#-;=?-Z\[\]_a-z~]+")
_LONGEST: Final = 2048
_DIGITS: Final = re.compile(r"[0-9]*")
_COMPANY: Final = re.compile(r"[0-9]{6,12}")
_SERIAL: Final = re.compile(r"(?:%[0-9A-Fa-f]{2}|[!'()*+,.0-9:;=A-Za-z_\-])+")
_URN: Final = re.compile(r"urn:epc:(id|idpat|class):([a-z]+):(.+)")
_PAIR: Final = re.compile(r"[0-9]{2}")


class _Key(NamedTuple):
    """How a key is made: `total` digits of company and reference, the first of which may be an indicator in front."""

    total: int
    indicator: bool
    link: str
    longest: int = 0  # characters of the serial that follows; 0 where none does


_IDS: Final[Mapping[str, _Key]] = {
    "sgtin": _Key(13, True, "/01/{key}/21/{serial}", 20),
    "upui": _Key(13, True, "/01/{key}/235/{serial}", 28),
    "itip": _Key(13, True, "/8006/{key}{pieces}/21/{serial}", 20),
    "sscc": _Key(17, True, "/00/{key}"),
    "sgln": _Key(12, False, "/414/{key}/254/{serial}", 20),
    "pgln": _Key(12, False, "/417/{key}"),
    "grai": _Key(12, False, "/8003/0{key}{serial}", 16),
    "gsrn": _Key(17, False, "/8018/{key}"),
    "gsrnp": _Key(17, False, "/8017/{key}"),
    "gdti": _Key(12, False, "/253/{key}{serial}", 17),
    "sgcn": _Key(12, False, "/255/{key}{serial}", 12),
    "gsin": _Key(16, False, "/402/{key}"),
}
_CLASSES: Final[Mapping[str, _Key]] = {"lgtin": _Key(13, True, "/01/{key}/10/{serial}", 20)}
_PATTERNS: Final[Mapping[str, _Key]] = {  # the serial is `*`: the class of things alone remains
    kind: _IDS[kind]._replace(link=link)
    for kind, link in {
        "sgtin": "/01/{key}",
        "upui": "/01/{key}",
        "itip": "/8006/{key}{pieces}",
        "grai": "/8003/0{key}",
        "gdti": "/253/{key}",
        "sgcn": "/255/{key}",
    }.items()
}
_FREE: Final[Mapping[str, str]] = {
    "giai": "/8004/",
    "ginc": "/401/",
}  # no check digit, any reference

_NAMES: Final[Mapping[str, str]] = {
    "gtin": "01", "itip": "8006", "cpid": "8010", "gln": "414", "party": "417", "gsrnp": "8017",
    "gsrn": "8018", "gcn": "255", "sscc": "00", "gdti": "253", "ginc": "401", "gsin": "402",
    "grai": "8003", "giai": "8004", "cpv": "22", "lot": "10", "ser": "21", "tpx": "235",
}  # fmt: skip
_VALUES: Final[Mapping[str, re.Pattern[str]]] = {
    key: re.compile(pattern)
    for key, pattern in {
        "00": r"[0-9]{18}",
        "01": r"[0-9]{8}|[0-9]{12,14}",
        "253": r"[0-9]{13}.{0,17}",
        "255": r"[0-9]{13,25}",
        "401": r"[0-9]{4}.{0,26}",
        "402": r"[0-9]{17}",
        "414": r"[0-9]{13}",
        "417": r"[0-9]{13}",
        "8003": r"[0-9]{14}.{0,16}",
        "8004": r"[0-9]{4}.{0,26}",
        "8006": r"[0-9]{18}",
        "8010": r"[0-9]{4}[#/0-9A-Z\-]{0,26}",
        "8017": r"[0-9]{18}",
        "8018": r"[0-9]{18}",
    }.items()
}
# What may follow a key, finest first: only the finest that is there is kept, 22 (variant) never.
_QUALIFIERS: Final[Mapping[str, tuple[str, ...]]] = {
    "01": ("21", "235", "10", "22"),
    "8006": ("21", "10", "22"),
    "8010": ("8011",),
    "414": ("254",),
}
_LINK_LIKE: Final = re.compile(rf"/(?:{'|'.join([*_VALUES, *_NAMES])})/[0-9]{{4}}")


def is_uri(text: object) -> TypeGuard[str]:
    """Whether this is an absolute URI (RFC 3986) of at most 2,048 characters."""
    return isinstance(text, str) and len(text) <= _LONGEST and _URI.fullmatch(text) is not None


@lru_cache(maxsize=1024)  # serials of one class of things share it
def check_digit(digits: str) -> str:
    """The GS1 check digit of these digits: weights 3, 1, 3, ... from the right."""
    odd, even = digits[::-2], digits[-2::-2]
    return str(-(3 * sum(map(int, odd)) + sum(map(int, even))) % 10)


@lru_cache(maxsize=8192)  # places, parties and containers come again and again
def canonical_identifier(uri: str) -> str:
    """The one spelling of a GS1 identifier, `https://id.gs1.org/...`; any other URI as it stands."""
    if uri.startswith("urn:epc:"):
        return _from_urn(uri) or uri
    if uri.startswith(("https://", "http://")) and _LINK_LIKE.search(uri, 8):
        return _from_link(uri) or uri
    return uri


def _from_urn(uri: str) -> str | None:
    found = _URN.fullmatch(uri)
    if found is None:
        return None
    family, kind, rest = found.groups()
    if kind in _FREE and family == "id":
        return _free(kind, rest)
    if kind == "cpi":
        return _component(family, rest)
    known = {"id": _IDS, "class": _CLASSES, "idpat": _PATTERNS}[family].get(kind)
    return None if known is None else _keyed(known, kind, family, rest)


def _keyed(known: _Key, kind: str, family: str, rest: str) -> str | None:
    """A key with a check digit, from `company.reference[.piece.total][.serial]`."""
    parts = rest.split(".", 4 if kind == "itip" else 2 if known.longest else 1)
    pieces = "".join(parts[2:4]) if kind == "itip" else ""
    serial = parts[-1] if known.longest else ""
    wanted = 5 if kind == "itip" else 3 if known.longest else 2
    if len(parts) != wanted or not _COMPANY.fullmatch(parts[0]):
        return None
    company, reference = parts[0], parts[1]
    if len(company) + len(reference) != known.total or not _DIGITS.fullmatch(reference):
        return None
    if kind == "itip" and not all(_PAIR.fullmatch(part) for part in parts[2:4]):
        return None
    if family == "idpat":
        if serial != "*":
            return None
    elif known.longest and not _is_serial(serial, known.longest, digits=kind == "sgcn"):
        return None
    body = reference[0] + company + reference[1:] if known.indicator else company + reference
    link = known.link
    if kind == "sgln" and serial == "0":  # an extension 0 says that there is none
        link = "/414/{key}"
    key = body + check_digit(body)
    return _HOME + link.format(key=key, serial=_spelled(serial), pieces=pieces)


def _free(kind: str, rest: str) -> str | None:
    company, dot, reference = rest.partition(".")
    if not dot or not _COMPANY.fullmatch(company):
        return None
    if not _is_serial(reference, 30 - len(company)):
        return None
    return f"{_HOME}{_FREE[kind]}{company}{_spelled(reference)}"


def _component(family: str, rest: str) -> str | None:
    """A component or part identifier: company, part and, unless a pattern, a serial of digits."""
    parts = rest.split(".")
    if len(parts) != 3 or not _COMPANY.fullmatch(parts[0]):
        return None
    company, part, serial = parts
    if not _is_serial(part, 30 - len(company)):
        return None
    link = f"{_HOME}/8010/{company}{_spelled(part)}"
    if family == "idpat":
        return link if serial == "*" else None
    if family != "id" or not _is_serial(serial, 12, digits=True):
        return None
    return f"{link}/8011/{serial}"


def _is_serial(text: str, longest: int, *, digits: bool = False) -> bool:
    if digits:
        return 0 < len(text) <= longest and _DIGITS.fullmatch(text) is not None
    return _SERIAL.fullmatch(text) is not None and len(text) - 2 * text.count("%") <= longest


def _spelled(text: str) -> str:
    """Percent-encoded as a Digital Link has it: whatever table 7-1 there names, and nothing twice or in small hex."""
    return text if text.isalnum() else quote(unquote(text), safe="';=")


def _from_link(uri: str) -> str | None:
    path = uri.split("?", 1)[0].split("#", 1)[0].rstrip("/")
    segments = path.split("/")[3:]
    for place, name in enumerate(segments[:-1]):
        key = _NAMES.get(name, name)
        if key in _VALUES:
            found = _linked(key, segments[place + 1], segments[place + 2 :])
            if found is not None:
                return found
    return None


def _linked(key: str, value: str, rest: list[str]) -> str | None:
    """The canonical link of a key and what follows it; None where that is no GS1 identifier."""
    spelled = _spelled(value)
    if not spelled.isascii() or not _VALUES[key].fullmatch(unquote(spelled)) or len(rest) % 2:
        return None
    if key == "01":
        spelled = spelled.zfill(14)
    allowed = _QUALIFIERS.get(key, ())
    further = {_NAMES.get(rest[at], rest[at]): rest[at + 1] for at in range(0, len(rest), 2)}
    if not further.keys() <= set(allowed) or not all(further.values()):
        return None
    finest = next((name for name in allowed if name in further and name != "22"), None)
    tail = "" if finest is None else f"/{finest}/{_spelled(further[finest])}"
    return f"{_HOME}/{key}/{spelled}{tail}"
