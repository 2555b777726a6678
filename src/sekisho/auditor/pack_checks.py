"""Published packs read from the evidence: each from bytes with its digest, laid over bases with the digests it names.

1. The bytes of `packs/<name>-<version>.yaml` must have the digest and the size that were published. 2. What they are
laid over comes from the same evidence, each base under its own name, version and digest: a base that is not there
leaves the pack unverifiable, one with other bytes fails it. 3. The pack that was read must call itself as published.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from sekisho.auditor.evidence import Evidence
from sekisho.auditor.verdicts import Outcome, Tally
from sekisho.model.errors import InvalidInput
from sekisho.model.statements import PackPublished, PackReference
from sekisho.model.wire import sha256_hex
from sekisho.rules import Pack, parse_pack

__all__ = ["check_packs", "named", "read_pack"]


class PackRead(msgspec.Struct, frozen=True, kw_only=True):
    """What came of reading a pack: the pack, or why not; `missing` where only absent bytes stood in the way."""

    pack: Pack | None = None
    fault: str = ""
    missing: str = ""


def check_packs(evidence: Evidence) -> Outcome:
    """Every published pack is what its digest says, over bases that were published before it."""
    tally, before = Tally(), dict[tuple[str, str], PackReference]()
    published = list(evidence.past().facts(PackPublished))
    for step, fact in published:
        where = f"entry {step.index}: pack {named(fact.pack)}"
        read = read_pack(evidence, fact)
        if read.fault:
            tally.fault(f"{where}: {read.fault}")
        if read.missing:
            tally.gap(f"{where}: {read.missing}")
        for base in read.pack.over if read.pack is not None else ():
            if before.get((base.name, base.version)) != base:
                tally.fault(
                    f"{where}: is laid over {named(base)}, which was not published before it"
                )
        before.setdefault((fact.pack.name, fact.pack.version), fact.pack)
    return tally.outcome(f"{len(published)} published packs, each by its digest and its bases'")


def read_pack(evidence: Evidence, published: PackPublished) -> PackRead:
    """The pack as it was published, from the evidence alone; read once for all checks that ask for it."""
    known: dict[PackPublished, PackRead] = evidence.memory.setdefault("packs", {})
    if published not in known:
        known[published] = _read(evidence.bundle.files, published)
    return known[published]


def _read(files: Mapping[str, bytes], published: PackPublished) -> PackRead:
    reference = published.pack
    path = _path(reference)
    data = files.get(path)
    if data is None:
        return PackRead(missing="its bytes are not in the evidence")
    if sha256_hex(data) != reference.sha256 or len(data) != published.bytes:
        return PackRead(fault=f"{path} is not the pack that was published")
    bases = _Bases(files)
    try:
        pack = parse_pack(data, path, find_over=bases.find)
    except InvalidInput as error:
        return bases.verdict() or PackRead(fault=str(error))
    found = bases.verdict()
    if found is not None:
        return found
    if pack.reference != reference:
        return PackRead(fault=f"{path} calls itself {named(pack.reference)}")
    return PackRead(pack=pack)


class _Bases:
    """Finds the bases of one pack among the files, and notes what it did not find."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files
        self._missing: list[PackReference] = []
        self._changed: list[PackReference] = []

    def find(self, reference: PackReference) -> bytes | None:
        data = self._files.get(_path(reference))
        if data is None:
            self._missing.append(reference)
        elif sha256_hex(data) != reference.sha256:
            self._changed.append(reference)
        else:
            return data
        return None

    def verdict(self) -> PackRead | None:
        """What was wrong with the bases: a changed one before a missing one; None where all were found."""
        if self._changed:
            return PackRead(fault=f"{_path(self._changed[0])} is not the base that it is laid over")
        if self._missing:
            return PackRead(missing=f"the bytes of its base {named(self._missing[0])} are missing")
        return None


def _path(reference: PackReference) -> str:
    return f"packs/{reference.name}-{reference.version}.yaml"


def named(reference: PackReference) -> str:
    """A pack by name and version."""
    return f"{reference.name} {reference.version}"
