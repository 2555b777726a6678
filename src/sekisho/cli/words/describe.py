"""From a document to its page: by form, and of statements by kind."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sekisho.cli.documents import Document
from sekisho.cli.durations import length_in_words
from sekisho.cli.plain_text import quote, tame
from sekisho.cli.words.access import ACCESS_WORDS
from sekisho.cli.words.charter import describe_charter
from sekisho.cli.words.chips import CHIP_WORDS
from sekisho.cli.words.hosts import describe_host
from sekisho.cli.words.impact import describe_impact
from sekisho.cli.words.keys import (
    describe_announcement,
    describe_compromise,
    describe_drill,
    describe_veto,
    describe_withdrawal,
)
from sekisho.cli.words.ladder import LADDER_WORDS
from sekisho.cli.words.licence import describe_lease, describe_licence, describe_receipt
from sekisho.cli.words.licensing import LICENSING_WORDS
from sekisho.cli.words.order import describe_order
from sekisho.cli.words.page import Page, View
from sekisho.cli.words.papers import PAPERS, describe_fields
from sekisho.cli.words.records import (
    describe_confirmation,
    describe_deposit,
    describe_erasure,
    describe_pack,
)
from sekisho.cli.words.releases import describe_release
from sekisho.cli.words.runs import describe_run
from sekisho.cli.words.sealed import describe_sealed
from sekisho.cli.words.signers import describe_signers
from sekisho.cli.words.usage import USAGE_WORDS
from sekisho.model.statements import (
    AgentReleased,
    CharterAdopted,
    DisclosureDeposited,
    DisclosureErased,
    HostEnrolled,
    ImpactAssessed,
    KeyCompromised,
    KeyDrilled,
    LeaseGranted,
    LicenceIssued,
    OrderConfirmed,
    OrderIssued,
    OrderSealed,
    PackPublished,
    ReceiptGiven,
    RecoveryAnnounced,
    RecoveryVetoed,
    RunDeclared,
    SignatureWithdrawn,
    Statement,
)
from sekisho.signing.phrase import digest_phrase

__all__ = ["describe"]

OLD_LOG_S = 600  # ten heartbeats: whoever serves an older tree may be hiding what came since


def describe(document: Document, view: View) -> Page:
    """The page of a document as seen from `view`: its words, its warnings, its digest and phrase."""
    page = Page(view)
    page.data |= {"form": document.form, "kind": document.form, "digest": document.digest}
    if document.statement is not None:
        _describe_statement(page, document, document.statement)
    else:
        PAPERS[document.form](page, document)
    _describe_footing(page)
    if document.digest:
        page.data["phrase"] = digest_phrase(document.digest)
        page.add("digest", document.digest)
        page.add("phrase", digest_phrase(document.digest))
    return page


def _describe_statement(page: Page, document: Document, statement: Statement) -> None:
    fact = statement.predicate
    words = _WORDS.get(type(fact))
    if isinstance(fact, OrderSealed):
        describe_sealed(page, document, fact)
    elif words is not None:
        words(page, fact, statement.digest)
    else:
        describe_fields(page, statement.kind, document.raw)
    describe_signers(page, document, statement)
    page.data |= {
        "kind": statement.kind,
        "signed": document.envelope is not None,
        "predicate": document.raw,
        "unknown_fields": list(document.unknown),
        "unknown_critical": list(document.critical),
    }
    for path in document.unknown:
        page.warn("unknown-field", path=tame(path), value=_value_at(document.raw, path))
    for name in document.critical:
        page.warn("unknown-critical", path=tame(name))


def _describe_footing(page: Page) -> None:
    """How new and how well founded the log is that the page was compared with."""
    view = page.view
    page.data["log"] = None
    if view.cosigned is None:
        if view.footing.root is None:
            page.tell("read", "read.no_root")
        else:
            page.tell("read", "read.no_log", origin=view.footing.root.origin)
        return
    checkpoint, seconds = view.cosigned.checkpoint, view.cosigned.median_time
    at = "-" if seconds is None else f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"
    page.data["log"] = {"origin": checkpoint.origin, "size": checkpoint.size, "witnessed_at": at}
    if seconds is not None and view.now.seconds - seconds > OLD_LOG_S:
        length = length_in_words(view.now.seconds - seconds, view.language)
        page.warn("old-log", length=length)
    page.tell("read", "read.log", origin=tame(checkpoint.origin), size=checkpoint.size, at=at)


def _value_at(raw: Any, path: str) -> str:
    value = raw
    for part in path.replace("[", ".[").split("."):
        if part.startswith("["):
            value = value[int(part.strip("[]"))]
        elif isinstance(value, dict) and part in value:
            value = value[part]
        else:  # a name with a dot in it: show the nearest whole
            break
    return quote(json.dumps(value, ensure_ascii=False)[:400])


_WORDS: dict[type, Callable[[Page, Any, str], None]] = {
    OrderIssued: describe_order,
    LicenceIssued: describe_licence,
    HostEnrolled: describe_host,
    RunDeclared: describe_run,
    CharterAdopted: describe_charter,
    LeaseGranted: lambda page, fact, _: describe_lease(page, fact),
    ReceiptGiven: lambda page, fact, _: describe_receipt(page, fact),
    KeyCompromised: describe_compromise,
    KeyDrilled: describe_drill,
    SignatureWithdrawn: describe_withdrawal,
    RecoveryAnnounced: describe_announcement,
    RecoveryVetoed: describe_veto,
    OrderConfirmed: describe_confirmation,
    DisclosureDeposited: describe_deposit,
    DisclosureErased: describe_erasure,
    PackPublished: describe_pack,
    AgentReleased: describe_release,
    ImpactAssessed: describe_impact,
    **CHIP_WORDS,
    **USAGE_WORDS,
    **LICENSING_WORDS,
    **ACCESS_WORDS,
    **LADDER_WORDS,
}
