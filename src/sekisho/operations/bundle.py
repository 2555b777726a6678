"""Writing an evidence bundle: everything an outsider needs, listed, hashed and signed.

The format is docs/wire.md's. What is written is only what the log, the private store and the packs hold; the trust
root is not among it, since an auditor must bring that along.
"""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from sekisho.ledger import Cosigned
from sekisho.ledger.tiles import MAX_BUNDLE_BYTES, bundles_of_tree, tiles_of_tree
from sekisho.model.errors import StateConflict
from sekisho.model.instants import Instant
from sekisho.model.statements import DisclosureErased
from sekisho.model.wire import canonical, sha256_hex
from sekisho.ports.private_store import PaperKind, PrivateStore
from sekisho.ports.tile_store import TileStore
from sekisho.signing import Recorded, concealed_of, sign_payload
from sekisho.signing.keys import Signer

__all__ = ["MANIFEST_TYPE", "collect_bundle", "pack_tar", "write_bundle"]

MANIFEST_TYPE = "application/vnd.sekisho.manifest+json"
FORMAT = "sekisho-bundle/v1"
_PAPERS: tuple[tuple[PaperKind, str], ...] = (
    ("receipt", "receipts.jsonl"),
    ("request", "requests.jsonl"),
    ("acknowledgement", "acknowledgements.jsonl"),
    ("fork", "forks.jsonl"),
)


def collect_bundle(
    *,
    cosigned: Cosigned,
    tiles: TileStore,
    recorded: Iterable[Recorded],
    private: PrivateStore,
    packs: Mapping[str, bytes],
    register: Mapping[str, bytes] | None = None,
) -> dict[str, bytes]:
    """Every file of a bundle but its manifest, by path. `packs` maps `<name>-<version>` to the published bytes.

    `register` are the files of the register of chips (operations.register.exporting); None leaves it out.
    """
    size = cosigned.checkpoint.size
    files = {"log/checkpoint": cosigned.note.to_bytes()}
    for tile in (*tiles_of_tree(size), *bundles_of_tree(size)):
        files[f"log/{tile.to_path()}"] = tiles.read(tile.to_path(), MAX_BUNDLE_BYTES)
    files["disclosures.json"] = canonical(_disclosed(list(recorded), size, private))
    for kind, name in _PAPERS:
        for host, lines in _papers(private, kind).items():
            files[f"hosts/{host}/{name}"] = b"".join(line + b"\n" for line in lines)
    files.update({f"packs/{name}.yaml": data for name, data in packs.items()})
    files.update(register or {})
    return files


def write_bundle(
    folder: Path, files: Mapping[str, bytes], *, origin: str, signer: Signer, now: Instant
) -> None:
    """Write a bundle into a new or empty folder, and beside it the one tar that carries it: `<folder>.tar`.

    Files first, then the manifest, its signature last. Raises StateConflict where the folder holds something. A crash
    leaves a folder without `manifest.dsse`, which no auditor takes for a bundle, or a folder without its tar.
    """
    # It holds disclosures and receipts: only its owner enters, who hands copies on.
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if any(folder.iterdir()):
        raise StateConflict(f"{folder} is not empty", remedy="name a new folder")
    manifest = canonical(
        {
            "format": FORMAT,
            "origin": origin,
            "created": str(now),
            "files": [
                {"path": path, "size": len(data), "sha256": sha256_hex(data)}
                for path, data in sorted(files.items())
            ],
        }
    )
    envelope = sign_payload(manifest, [signer], payload_type=MANIFEST_TYPE)
    whole = {**files, "manifest.json": manifest, "manifest.dsse": envelope.raw}
    for path, data in whole.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    with (folder / "manifest.dsse").open("rb+") as file:
        os.fsync(file.fileno())
    transport = folder.with_name(f"{folder.name}.tar")
    transport.touch(mode=0o600)
    transport.write_bytes(pack_tar(whole))


def pack_tar(files: Mapping[str, bytes]) -> bytes:
    """The deterministic tar of a bundle: ustar, uncompressed, members by path, no times and no owners."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path in sorted(files):
            member = tarfile.TarInfo(path)
            member.size, member.mode = len(files[path]), 0o644
            tar.addfile(member, io.BytesIO(files[path]))
    return stream.getvalue()


def _disclosed(recorded: list[Recorded], size: int, private: PrivateStore) -> dict[str, list[str]]:
    """What each concealing entry below `size` disclosed, by leaf; of an erased one nothing, destroyed yet or not."""
    known = private.load_disclosures()
    facts = (entry.verified.predicate for entry in recorded)
    erased = {fact.statement for fact in facts if isinstance(fact, DisclosureErased)}
    return {
        entry.leaf: list(known.get(entry.verified.digest, ()))
        if entry.verified.digest not in erased
        else []
        for entry in recorded
        if entry.index < size and concealed_of(entry.verified.predicate)
    }


def _papers(private: PrivateStore, kind: PaperKind) -> dict[str, list[bytes]]:
    found: dict[str, list[bytes]] = {}
    for paper in private.load_papers(kind):
        found.setdefault(paper.host, []).append(paper.envelope)
    return found
