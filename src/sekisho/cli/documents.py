"""Documents as files: what form these very bytes have, and what is in them. Nothing here is verified yet."""

from __future__ import annotations

import re
from typing import Any, Literal, TypeAlias

import msgspec

from sekisho.ledger import Checkpoint, Policy, TlogProof
from sekisho.ledger.evidence import FORK_FORMAT, ForkEvidence
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant
from sekisho.model.statements import PAYLOAD_TYPE, Statement, parse_payload_leniently
from sekisho.model.statements.shapes import Count, Digest, Name
from sekisho.model.wire import (
    decode_base64,
    from_json,
    parse_canonical,
    parse_json,
    sha256_hex,
)
from sekisho.signing import (
    Envelope,
    PublicKey,
    TrustRoot,
    parse_envelope,
    parse_policy,
    parse_trust,
)
from sekisho.signing.notes import Note, VerifierKey

__all__ = ["MAX_DOCUMENT_BYTES", "Document", "Form", "Manifest", "parse_document", "unknown_paths"]

MAX_DOCUMENT_BYTES = 16 * 1024 * 1024
MANIFEST_TYPE = "application/vnd.sekisho.manifest+json"
_STATEMENT = "https://in-toto.io/Statement/v1"
_PEM = re.compile(r"-----BEGIN ([A-Z ]+)-----\n([A-Za-z0-9+/=\n]+)-----END \1-----\n?")
_SPKI = re.compile(r"M(Cow|Fkw|HYw)[A-Za-z0-9+/]{40,400}={0,2}")
_POLICY_WORDS = ("log ", "witness ", "group ", "quorum ", "#")

Form: TypeAlias = Literal[
    "statement",
    "manifest",
    "trust-root",
    "trust-file",
    "policy",
    "checkpoint",
    "vkey",
    "proof",
    "fork",
    "public-key",
    "private-key",
]


class _ManifestFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    path: str
    size: Count
    sha256: Digest


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a bundle says it holds."""

    format: Literal["sekisho-bundle/v1"]
    origin: Name
    created: Instant
    files: tuple[_ManifestFile, ...]


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """One parsed file. `digest` names it for people: of a statement its payload's SHA-256, of a key its id.

    `raw` is the statement's predicate as it stands in the bytes; `unknown` are the paths in it that we do not know,
    `critical` those of them that the document says a reader must. `disclosures` lay beside it (cli.sealed_file).
    """

    form: Form
    digest: str
    envelope: Envelope | None = None
    statement: Statement | None = None
    raw: dict[str, Any] = {}
    unknown: tuple[str, ...] = ()
    critical: tuple[str, ...] = ()
    manifest: Manifest | None = None
    roots: tuple[TrustRoot, ...] = ()
    policy: Policy | None = None
    note: Note | None = None
    proof: TlogProof | None = None
    fork: ForkEvidence | None = None
    vkey: VerifierKey | None = None
    key: PublicKey | None = None
    disclosures: tuple[str, ...] = ()

    @property
    def origin(self) -> str | None:
        """The log that the document says it belongs to."""
        if self.statement is not None:
            return _origin_of(self.statement.predicate)
        if self.manifest is not None:
            return self.manifest.origin
        if self.roots:
            return self.roots[-1].origin
        note = self.note or (self.proof.note if self.proof else None)
        note = note or (self.fork.smaller if self.fork else None)
        return Checkpoint.from_text(note.text).origin if note else None


def parse_document(data: bytes, *, path: str) -> Document:
    """Read a document of any form that this program knows. Raises InvalidInput naming the file and the field."""
    if not data:
        raise InvalidInput("is empty", path=path)
    if data.lstrip()[:1] in (b"{", b"["):
        return _parse_json_form(data, path)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"not UTF-8 at byte {error.start}", path=path) from None
    return _parse_text_form(text, data, path)


def _parse_json_form(data: bytes, path: str) -> Document:
    value = parse_json(data, path=path, limit=MAX_DOCUMENT_BYTES)
    if isinstance(value, list):
        return Document(
            form="trust-file", digest=sha256_hex(data), roots=parse_trust(data, path=path)
        )
    if not isinstance(value, dict):
        raise _unknown_form(path)
    if "payloadType" in value:
        return _parse_envelope_form(data, str(value["payloadType"]), path)
    if value.get("_type") == _STATEMENT:
        return _statement(data, None, path)
    if value.get("format") == FORK_FORMAT:
        fork = ForkEvidence.from_bytes(data.removesuffix(b"\n"), path=path)
        return Document(form="fork", digest=sha256_hex(fork.to_bytes()), fork=fork)
    if "format" in value:
        return _manifest(data, None, path)
    if "charter" in value and "witnesses" in value:
        return Document(
            form="trust-root", digest=sha256_hex(data), roots=(parse_policy(data, path=path),)
        )
    raise _unknown_form(path)


def _parse_envelope_form(data: bytes, payload_type: str, path: str) -> Document:
    if payload_type == MANIFEST_TYPE:
        limit = 2 * MAX_DOCUMENT_BYTES
        envelope = parse_envelope(data, path=path, payload_type=MANIFEST_TYPE, limit=limit)
        return _manifest(envelope.payload, envelope, path)
    envelope = parse_envelope(data, path=path, payload_type=PAYLOAD_TYPE)
    return _statement(envelope.payload, envelope, path)


def _statement(payload: bytes, envelope: Envelope | None, path: str) -> Document:
    statement, critical = parse_payload_leniently(payload, path=path)
    raw = parse_json(payload)["predicate"]  # type: ignore[call-overload,index]  # parsed just above
    if not isinstance(raw, dict):
        raise _unknown_form(path)
    return Document(
        form="statement",
        digest=statement.digest,
        envelope=envelope,
        statement=statement,
        raw=raw,
        unknown=tuple(unknown_paths(statement.predicate, raw)),
        critical=tuple(sorted(critical)),
    )


def _manifest(data: bytes, envelope: Envelope | None, path: str) -> Document:
    value = parse_canonical(data, path=path, limit=MAX_DOCUMENT_BYTES)
    manifest = from_json(Manifest, value, path=path)
    return Document(form="manifest", digest=sha256_hex(data), envelope=envelope, manifest=manifest)


def _parse_text_form(text: str, data: bytes, path: str) -> Document:
    digest = sha256_hex(data)
    if text.startswith("-----BEGIN "):
        return _parse_pem(text, path)
    if text.startswith("c2sp.org/tlog-proof"):
        proof = TlogProof.from_text(text, path=path)
        return Document(form="proof", digest=digest, proof=proof)
    if "\n\n" in text and "\n— " in text:
        return Document(form="checkpoint", digest=digest, note=Note.from_bytes(data, path=path))
    if text.startswith(_POLICY_WORDS):
        return Document(form="policy", digest=digest, policy=Policy.from_text(text, path=path))
    line = text.removesuffix("\n")
    # Base64 has plus signs too, so what begins like a key's DER comes before what has a verifier key's plus signs.
    if _SPKI.fullmatch(line):
        key = PublicKey.from_text(line, path=path)
        return Document(form="public-key", digest=key.key_id, key=key)
    if not {"\n", " "}.intersection(line) and line.count("+") >= 2:
        return Document(form="vkey", digest=digest, vkey=VerifierKey.from_text(line, path=path))
    raise _unknown_form(path)


def _parse_pem(text: str, path: str) -> Document:
    match = _PEM.fullmatch(text)
    if match is None:
        raise InvalidInput("is not one PEM block", path=path)
    if match[1] == "PUBLIC KEY":
        key = PublicKey(decode_base64(match[2].replace("\n", ""), path=path))
        return Document(form="public-key", digest=key.key_id, key=key)
    if match[1] in ("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"):
        # The file's own digest is never shown: it would let somebody test guesses of the file.
        return Document(form="private-key", digest="")
    raise _unknown_form(path)


def _unknown_form(path: str) -> InvalidInput:
    return InvalidInput(
        "is no document that this program knows",
        path=path,
        remedy="name an envelope, a draft, a bundle's manifest, a trust root, a policy, a checkpoint, "
        "a proof, evidence of a fork or a key",
    )


def unknown_paths(value: Any, raw: Any, path: str = "") -> list[str]:
    """Every field of `raw` that the typed `value` has no place for, at any depth."""
    if isinstance(value, msgspec.Struct) and isinstance(raw, dict):
        known = {field.encode_name: field.name for field in msgspec.structs.fields(type(value))}
        found = [f"{path}.{name}".lstrip(".") for name in raw if name not in known]
        for name, attribute in known.items():
            if name in raw:
                below = f"{path}.{name}".lstrip(".")
                found += unknown_paths(getattr(value, attribute), raw[name], below)
        return found
    if isinstance(value, tuple) and isinstance(raw, list):
        pairs = enumerate(zip(value, raw, strict=True))
        return [p for i, (item, part) in pairs for p in unknown_paths(item, part, f"{path}[{i}]")]
    return []


def _origin_of(predicate: Any) -> str | None:
    """Orders and charters name their log; licences, leases and vetoes through what they rest on."""
    log = getattr(predicate, "log", None)
    if isinstance(log, str):
        return log
    if log is not None:
        return str(log.origin)
    for name in ("declaration", "licence", "lease", "announcement"):
        reference = getattr(predicate, name, None)
        if reference is not None and hasattr(reference, "log"):
            return str(reference.log)
    return None
