"""A host's proof that it is, or is not, among those that an order names: as it goes over the wire and lies in files.

Nothing here is verified: orders.membership does that, against the root and count that the order's signers signed.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec

from sekisho.model.statements.shapes import Count, Digest, Wire

__all__ = ["LeafProof", "Membership", "MembershipShown"]

LeafHex: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{2}){1,128}(?!\n)$")]
MembershipShown: TypeAlias = Literal["in", "out", "unknown"]
"""Whether a host is among those that an order names, as far as it was shown."""


class LeafProof(Wire, frozen=True, kw_only=True):
    """One leaf of the tree over an order's hosts: its bytes and the hashes of its path, all in hexadecimal."""

    leaf: LeafHex
    index: Count
    path: Annotated[tuple[Digest, ...], msgspec.Meta(max_length=53)] = ()


class Membership(Wire, frozen=True, kw_only=True):
    """`in`: the host's own leaf. `out`: its neighbours (one at an edge of the tree, none where the tree is empty)."""

    says: Literal["in", "out"]
    leaves: Annotated[tuple[LeafProof, ...], msgspec.Meta(max_length=2)] = ()
