"""Shapes that several statement kinds share. Field names here are wire words: they are for ever."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import msgspec

from sekisho.model.instants import Instant

__all__ = [
    "Checkpoint",
    "Count",
    "DecimalText",
    "Digest",
    "FlopText",
    "Jurisdiction",
    "Key64",
    "Name",
    "OrderReference",
    "PackReference",
    "Predicate",
    "Reference",
    "RegisterHead",
    "Seconds",
    "Span",
    "Text",
]

# Each pattern ends in `(?!\n)$`: a bare `$` also matches before a final newline, and "host-1\n" is another host.
# A name's parts between slashes are never empty, "." or "..": names become paths in bundles and homes.
Name: TypeAlias = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^(?!.*/\.{0,2}(?:/|$))[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,127}(?!\n)$",
    ),
]
Text: TypeAlias = Annotated[str, msgspec.Meta(max_length=4000)]
Digest: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}(?!\n)$")]
FlopText: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^(0|[1-9][0-9]{0,37})(?!\n)$")]
DecimalText: TypeAlias = Annotated[
    str, msgspec.Meta(pattern=r"^-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,9})?(?!\n)$")
]
Key64: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9+/]{40,400}={0,2}(?!\n)$")]
Jurisdiction: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?(?!\n)$")]
Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Seconds: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=10**9)]


class Wire(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A part of a statement; fields at their default are left out, fields we do not know are passed over."""


class Predicate(Wire, frozen=True, kw_only=True):
    """What a statement says. `effective` is the time it speaks of; `crit` names fields a reader must know."""

    effective: Instant
    crit: tuple[str, ...] = ()


class Span(Wire, frozen=True, kw_only=True):
    """A half-open period on the wire."""

    start: Instant
    end: Instant


class Reference(Wire, frozen=True, kw_only=True):
    """Another statement, by its log's origin and its leaf digest; never by a bare index."""

    log: Name
    leaf: Digest


class OrderReference(Wire, frozen=True, kw_only=True):
    """An order by its register and number, with its payload's SHA-256: numbers can be lied about, digests not."""

    register: Name
    number: Count
    digest: Digest


class RegisterHead(OrderReference, frozen=True, kw_only=True):
    """The newest number of a register and that order's digest; number 0 with the digest of nothing when empty."""


class PackReference(Wire, frozen=True, kw_only=True):
    """A rule pack by name, version and the SHA-256 of its bytes."""

    name: Name
    version: Name
    sha256: Digest


class Checkpoint(Wire, frozen=True, kw_only=True):
    """A model checkpoint as the host that wrote it names it."""

    sha256: Digest
    bytes: Count
    step: Count
