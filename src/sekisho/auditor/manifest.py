"""The manifest of a bundle: every file by path, size and digest, so that nothing is added, lost or changed unseen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec

from sekisho.auditor.tarball import Fault, is_safe_path
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant
from sekisho.model.statements.shapes import Count, Digest, Name
from sekisho.model.wire import from_json, parse_canonical, sha256_hex
from sekisho.signing import Envelope, Regime, parse_envelope
from sekisho.signing.dsse import distinct_signers

__all__ = [
    "MANIFEST",
    "SIGNATURE",
    "ListedFile",
    "Manifest",
    "compare_files",
    "parse_manifest",
    "verify_manifest",
]

MANIFEST = "manifest.json"
SIGNATURE = "manifest.dsse"
PAYLOAD_TYPE = "application/vnd.sekisho.manifest+json"
MAX_MANIFEST = 16 * 1024 * 1024


class ListedFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file of the list."""

    path: Annotated[str, msgspec.Meta(max_length=1024)]
    size: Count
    sha256: Digest


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a bundle must hold, of which log, and when it was put together."""

    format: Literal["sekisho-bundle/v1"]
    origin: Name
    created: Instant
    files: tuple[ListedFile, ...]


def parse_manifest(data: bytes) -> Manifest:
    """Read a manifest strictly: canonical, known fields only, safe paths in ascending order. Raises InvalidInput."""
    manifest = from_json(
        Manifest, parse_canonical(data, path=MANIFEST, limit=MAX_MANIFEST), path=f"{MANIFEST}:"
    )
    last = ""
    for file in manifest.files:
        if not is_safe_path(file.path) or file.path in (MANIFEST, SIGNATURE):
            raise InvalidInput(f"lists {file.path[:80]!a}, which no bundle may hold", path=MANIFEST)
        if file.path <= last:
            raise InvalidInput(
                f"{file.path} stands after {last}: sort by path, each once", path=MANIFEST
            )
        last = file.path
    return manifest


def compare_files(manifest: Manifest, files: Mapping[str, bytes]) -> list[Fault]:
    """Every difference between what is listed and what is there."""
    listed = {file.path: file for file in manifest.files}
    faults = [
        Fault(path=path, problem="is not listed in the manifest")
        for path in sorted(set(files) - set(listed) - {MANIFEST, SIGNATURE})
    ]
    for path, row in listed.items():
        data = files.get(path)
        if data is None:
            faults.append(Fault(path=path, problem="is listed and missing"))
        elif len(data) != row.size:
            faults.append(Fault(path=path, problem=f"has {len(data)} bytes, listed are {row.size}"))
        elif sha256_hex(data) != row.sha256:
            faults.append(Fault(path=path, problem="is not the file that the manifest lists"))
    return faults


def parse_signature(data: bytes, manifest: bytes) -> Envelope:
    """The manifest's envelope: canonical, of the right type, around the manifest byte for byte. Raises InvalidInput."""
    envelope = parse_envelope(
        data, path=SIGNATURE, payload_type=PAYLOAD_TYPE, limit=2 * MAX_MANIFEST
    )
    if envelope.payload != manifest:
        raise InvalidInput("carries another manifest than manifest.json", path=SIGNATURE)
    return envelope


def verify_manifest(envelope: Envelope, regime: Regime) -> str:
    """By whom the bundle is signed: the log's key, or keys with the power publish-bundle.

    Every signature must verify under the key that it names. Raises InvalidInput, NotAuthorised.
    """
    keys = {regime.log_key.key_id: regime.log_key}
    charter = regime.charter
    if charter is not None:
        live = regime.live_keys(charter.keys_of("publish-bundle"))
        keys |= {key.key_id: key for key in live}
    signers = distinct_signers(envelope, keys.values())
    named = [signature.keyid for signature in envelope.signatures]
    if len(set(named)) != len(named) or set(named) != set(signers):
        raise InvalidInput(
            "a signature is by no key that may sign this bundle, or does not verify", path=SIGNATURE
        )
    if regime.log_key.key_id in signers:
        return "the log's own key"
    standing = regime.in_force().verify_power("publish-bundle", signers)
    return standing.in_words()
