"""Keys, notes, proofs, policies, trust roots and manifests in words; and statements field by field."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sekisho.cli.documents import Document, Form
from sekisho.cli.plain_text import quote, tame
from sekisho.cli.words.page import Page, names
from sekisho.ledger import Checkpoint, Policy
from sekisho.ledger.evidence import cosigners_of_both, judge_evidence
from sekisho.model.errors import VerificationError
from sekisho.model.wire import encode_base64
from sekisho.signing import TrustRoot
from sekisho.signing.notes import Note
from sekisho.signing.phrase import digest_phrase

__all__ = ["PAPERS", "describe_fields"]

MAX_FIELDS = 400


def describe_fields(page: Page, kind: str, raw: dict[str, Any]) -> None:
    """A statement of a kind without words of its own: its fields as they stand, none left out."""
    page.title = page.say("show.kind.other", kind=kind)
    rows = list(_flatten(raw, ""))
    for path, value in rows[:MAX_FIELDS]:
        page.add("field", f"{tame(path)}: {value}")
    if len(rows) > MAX_FIELDS:
        page.warn("more-fields", count=len(rows) - MAX_FIELDS)


def _flatten(value: Any, path: str) -> list[tuple[str, str]]:
    if isinstance(value, dict) and value:
        return [row for k, v in value.items() for row in _flatten(v, f"{path}.{k}".lstrip("."))]
    if isinstance(value, list) and value:
        return [row for i, v in enumerate(value) for row in _flatten(v, f"{path}[{i}]")]
    return [(path, quote(value) if isinstance(value, str) else json.dumps(value))]


def _manifest(page: Page, document: Document) -> None:
    manifest = document.manifest
    if manifest is None:
        return
    page.title = page.say("show.kind.manifest")
    page.add("log", manifest.origin)
    page.add("drafted", str(manifest.created))
    size = sum(file.size for file in manifest.files)
    page.tell("files", "manifest.files", count=len(manifest.files), size=size)
    for file in manifest.files[:MAX_FIELDS]:
        page.add("file", f"{tame(file.path)} ({file.size}, {file.sha256[:16]})")
    if len(manifest.files) > MAX_FIELDS:
        page.warn("more-fields", count=len(manifest.files) - MAX_FIELDS)
    page.tell("signed_by", "manifest.signed" if document.envelope else "unsigned")


def _roots(page: Page, document: Document) -> None:
    page.title = page.say(f"show.kind.{document.form}")
    for root in document.roots:
        _root(page, root)
    page.tell("meaning", "root.means")


def _root(page: Page, root: TrustRoot) -> None:
    page.add("charter", root.charter)
    page.tell("charter", "root.phrase", phrase=digest_phrase(root.charter_digest))
    page.add("log", tame(root.log))
    _policy_rows(page, Policy.from_text(root.witnesses, path="witnesses"))


def _policy(page: Page, document: Document) -> None:
    page.title = page.say("show.kind.policy")
    if document.policy is not None:
        for key in document.policy.logs:
            page.add("log", tame(key.to_text()))
        _policy_rows(page, document.policy)


def _policy_rows(page: Page, policy: Policy) -> None:
    for witness in policy.witnesses:
        page.add("witness", tame(f"{witness.name} {witness.key.to_text()} {witness.url}".rstrip()))
    for group in policy.groups:
        asked = f"{group.needed}/{len(group.members)}"
        page.add("witnesses", f"{tame(group.name)}: {asked} ({names(group.members)})")
    page.add("quorum", tame(policy.quorum))


def _checkpoint(page: Page, document: Document) -> None:
    page.title = page.say("show.kind.checkpoint")
    if document.note is not None:
        _note_rows(page, document.note)


def _note_rows(page: Page, note: Note) -> None:
    checkpoint = Checkpoint.from_text(note.text)
    page.add("log", tame(checkpoint.origin))
    page.tell("size", "checkpoint.size", size=checkpoint.size)
    page.add("root", encode_base64(checkpoint.root))
    for line in checkpoint.extensions:
        page.quote("extension", line)
    for signature in note.signatures:
        page.tell("signed_by", "note.claims", name=tame(signature.name))
    page.data |= {"origin": checkpoint.origin, "size": checkpoint.size}
    root = page.view.footing.root
    if root is None:
        page.warn("no-root", origin=tame(checkpoint.origin))
        return
    try:
        cosigned = Policy.from_text(root.witnesses).verify_cosigned(note)
    except VerificationError as error:
        page.warn("not-witnessed", why=tame(str(error)))
        page.data["witnessed"] = False
        return
    page.data["witnessed"] = True
    for name, seconds in sorted(cosigned.times.items()):
        at = datetime.fromtimestamp(min(seconds, 253_402_300_799), UTC)
        page.tell("witness", "note.witnessed", name=tame(name), at=f"{at:%Y-%m-%dT%H:%M:%SZ}")


def _proof(page: Page, document: Document) -> None:
    page.title = page.say("show.kind.proof")
    if document.proof is not None:
        proof = document.proof
        page.tell("number", "proof.index", index=proof.index, count=len(proof.hashes))
        _note_rows(page, proof.note)
        page.tell("meaning", "proof.means")


def _fork(page: Page, document: Document) -> None:
    """Evidence of a fork: both checkpoints, and what it comes to under the reader's own trust root."""
    page.title = page.say("show.kind.fork")
    if document.fork is None:
        return
    smaller, larger = document.fork.checkpoints
    page.add("log", tame(smaller.origin))
    for checkpoint in (smaller, larger):
        page.tell("size", "checkpoint.size", size=checkpoint.size)
        page.add("root", encode_base64(checkpoint.root))
    page.tell("meaning", "fork.means")
    page.data |= {"origin": smaller.origin, "sizes": [str(smaller.size), str(larger.size)]}
    root = page.view.footing.root
    if root is None:
        page.warn("no-root", origin=tame(smaller.origin))
        return
    policy = Policy.from_text(root.witnesses)
    found = judge_evidence(document.fork, policy.logs)
    page.data["verdict"] = found.verdict
    why = page.say(
        f"log.evidence.{found.reason}",
        detail=tame(found.detail),
        origin=tame(smaller.origin),
        smaller=smaller.size,
        larger=larger.size,
    )
    if found.verdict == "holds":
        page.warn("forked", why=why)
    else:
        page.add("meaning", f"{found.verdict}: {why}")
    for name in sorted(cosigners_of_both(document.fork, policy)):
        page.warn("cosigned-both", name=tame(name))


def _vkey(page: Page, document: Document) -> None:
    page.title = page.say("show.kind.vkey")
    if document.vkey is not None:
        page.add("name", tame(document.vkey.name))
        page.add("key", document.vkey.key_id.hex())
        page.add("algorithm", document.vkey.algorithm.name.lower())


def _key(page: Page, document: Document) -> None:
    page.title = page.say(f"show.kind.{document.form}")
    if document.key is None:
        return
    page.add("key", document.key.key_id)
    page.add("spki", document.key.to_text())
    charter = page.view.footing.charter
    if charter is not None and (held := charter.holder_of(document.key.key_id)):
        constituency = charter.constituency_of(document.key.key_id)
        page.add("holder", f"{constituency}: {quote(held[0])}, {quote(held[1])}")


PAPERS: dict[Form, Callable[[Page, Document], None]] = {
    "manifest": _manifest,
    "trust-root": _roots,
    "trust-file": _roots,
    "policy": _policy,
    "checkpoint": _checkpoint,
    "proof": _proof,
    "fork": _fork,
    "vkey": _vkey,
    "public-key": _key,
    "private-key": _key,
}
