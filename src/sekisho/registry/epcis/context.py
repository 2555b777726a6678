"""What the names in a document mean: GS1's context, which we know, and the prefixes that a document declares.

Nothing is ever fetched: a context that only an address names is refused, unless the address is GS1's own. Source:
JSON-LD 1.1, of which EPCIS 2.0 documents need prefixes and simple terms.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from sekisho.registry.epcis.document import Problem
from sekisho.registry.epcis.identifiers import is_uri
from sekisho.registry.epcis.words import CBV_WORDS

__all__ = ["CONTEXT_ADDRESS", "STANDARD", "Context", "extend_context", "resolve_name"]

CONTEXT_ADDRESS: Final = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
_KNOWN: Final = re.compile(
    r"https?://(?:ref\.gs1\.org/standards/epcis/(?:[0-9]+\.[0-9]+(?:\.[0-9]+)?/)?|gs1\.github\.io/EPCIS/|id\.gs1\.org/)"
    r"epcis-context\.jsonld"
)
_DEFAULTS: Final[Mapping[str, str]] = {
    "cbv": "https://ref.gs1.org/cbv/",
    "cbvmda": "urn:epcglobal:cbv:mda:",
    "dcterms": "http://purl.org/dc/terms/",
    "epcis": "https://ref.gs1.org/epcis/",
    "gs1": "https://gs1.org/voc/",
    "owl": "http://www.w3.org/2002/07/owl#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
# Documents in use give this one a meaning of their own; names are resolved, so none is mistaken for another.
_MAY_CHANGE: Final = frozenset({"cbvmda"})
_SCHEMES: Final = frozenset(
    "data did doi file ftp geo gs1-dl http https info mailto ni oid tag tel urn uuid ws wss".split()
)
_STANDARD_TERMS: Final = frozenset(
    """AggregationEvent AssociationEvent EPCISDocument EPCISQueryDocument ObjectEvent TransactionEvent
    TransformationEvent action bizLocation bizRules bizStep bizTransaction bizTransactionList booleanValue
    certificationInfo chemicalSubstance childEPCs childQuantityList component coordinateReferenceSystem
    correctiveEventIDs creationDate dataProcessingMethod declarationTime destination destinationList deviceID
    deviceMetadata disposition endTime epcClass epcList epcisBody epcisHeader errorDeclaration eventID eventList
    eventTime eventTimeZoneOffset exception hexBinaryValue id ilmd inputEPCList inputQuantityList maxValue meanValue
    microorganism minValue outputEPCList outputQuantityList parentID percRank percValue persistentDisposition
    quantity quantityList queryName queryResults rawData readPoint reason recordTime resultsBody sDev schemaVersion
    sensorElementList sensorMetadata sensorReport set source sourceList startTime stringValue subscriptionID time
    transformationID type unset uom uriValue value""".split()
)
_TERM: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]{0,63}")
_LOCAL: Final = re.compile(r"[^\s{}/#:=\x00-\x1f]{1,128}")
_NEVER_FETCHED: Final = (
    "names a context that is not read, since nothing is fetched; write its prefixes here"
)
_MAPPING_KEYS: Final = frozenset({"@id", "@type", "@container", "@protected", "@prefix"})
_MOST: Final = 256


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """The meanings in force: `own` are a document's terms (prefix -> namespace), `gs1` whether GS1's was named.

    `prefixes` are all that a compact name may begin with.
    """

    own: Mapping[str, str] = {}
    gs1: bool = False
    prefixes: frozenset[str] = frozenset(_DEFAULTS)

    def meaning(self, term: str) -> str | None:
        """The address that a prefix or term stands for."""
        found = self.own.get(term)
        return _DEFAULTS.get(term) if found is None else found


STANDARD: Final = Context(gs1=True)


def extend_context(
    base: Context, value: Any, problems: list[Problem], path: str = "@context"
) -> Context:
    """The meanings after an `@context` is read on top of others. What cannot stand is a problem, and left out."""
    own = dict(base.own)
    gs1 = base.gs1
    pending = [(path, value)]
    while pending:
        where, part = pending.pop()
        if isinstance(part, list):
            pending += [(f"{where}[{at}]", item) for at, item in reversed(list(enumerate(part)))]
        elif isinstance(part, str) and _KNOWN.fullmatch(part):
            gs1 = True
        elif isinstance(part, dict):
            _declare(own, part, problems, where)
        else:
            said = part[:120] if isinstance(part, str) else type(part).__name__
            problems.append(Problem(where, f"{said!r} {_NEVER_FETCHED}"))
    if len(own) > _MOST:
        problems.append(Problem(path, f"declares more than {_MOST} names; declare those you use"))
        own = dict(base.own)
    return Context(own=own, gs1=gs1, prefixes=frozenset(_DEFAULTS) | own.keys())


def resolve_name(context: Context, name: str) -> tuple[str, str] | str:
    """A field's name as `{namespace}local` with the term it needed ("" for none), or why it has no meaning."""
    prefix, colon, local = name.partition(":")
    if not colon:
        whole = context.own.get(name)
        if whole is None:
            return "is no field here and in no declared namespace; write it as prefix:name"
        return _split(whole, name)
    space = context.meaning(prefix)
    if space is not None:
        return _joined(space, local, prefix if prefix in context.own else "")
    if prefix in _SCHEMES and is_uri(name):
        return _split(name, "")
    return f"has the prefix {ascii(prefix)[:40]}, which no @context declares; declare it"


def _joined(space: str, local: str, term: str) -> tuple[str, str] | str:
    if not _LOCAL.fullmatch(local):
        return "has no proper name behind its prefix; use letters, digits and _ . - only"
    if space == _DEFAULTS["epcis"]:
        return f"is a field of EPCIS itself; write it as {local}"
    return f"{{{space}}}{local}", term


def _split(whole: str, term: str) -> tuple[str, str] | str:
    """An address as namespace and name: behind the last `#`, `/` or `:`."""
    at = max(whole.rfind("#"), whole.rfind("/"), whole.rfind(":")) + 1
    return _joined(whole[:at], whole[at:], term)


def _declare(
    own: dict[str, str], part: Mapping[str, Any], problems: list[Problem], where: str
) -> None:
    for term, value in part.items():
        if term in ("@version", "@protected"):
            continue
        address = _address(part, own, value)
        wrong = _why_not(term, address)
        if wrong:
            problems.append(Problem(f"{where}.{term}", wrong))
        elif _DEFAULTS.get(term) != address:
            own[term] = address
        else:
            own.pop(term, None)


def _address(part: Mapping[str, Any], own: Mapping[str, str], value: Any) -> str:
    """What a declaration stands for; "" where that cannot be told. A compact address is opened once."""
    if isinstance(value, dict):
        if not value.keys() <= _MAPPING_KEYS:
            return ""
        value = value.get("@id")
    if not isinstance(value, str):
        return ""
    prefix, colon, local = value.partition(":")
    space = part.get(prefix, own.get(prefix, _DEFAULTS.get(prefix)))
    if not colon or not isinstance(space, str) or prefix in _SCHEMES:
        return value
    opened = space + local
    again = opened.partition(":")[0]
    return "" if again in part or again in own or again in _DEFAULTS else opened


def _why_not(term: str, address: str) -> str:
    if term.startswith("@"):
        return f"the keyword {term[:40]} is not read here; declare prefixes only"
    if term in _STANDARD_TERMS or term in CBV_WORDS:
        return "gives a word of GS1 another meaning; choose another name"
    if term.lower() in _SCHEMES or not _TERM.fullmatch(term):
        return "is no name for a prefix; use a short word that is no scheme of addresses"
    if not is_uri(address):
        return "stands for no absolute address; write a whole one, such as https://example.org/ns/"
    if term in _DEFAULTS and term not in _MAY_CHANGE and address != _DEFAULTS[term]:
        return f"is GS1's prefix for {_DEFAULTS[term]}; choose another name"
    return ""
