"""The release of an agent in words: which file, after which one, and whether it goes back."""

from __future__ import annotations

from sekisho.cli.plain_text import tame
from sekisho.cli.words.page import Page
from sekisho.model.statements import AgentReleased
from sekisho.signing.releases import ReleaseBook

__all__ = ["describe_release"]


def describe_release(page: Page, fact: AgentReleased, digest: str) -> None:
    """What hosts may run once this is signed and witnessed."""
    page.title = page.say("show.kind.agent-released")
    version = tame(fact.version)
    if fact.sequence is None:
        page.tell("release", "release.no-number", version=version)
    else:
        page.tell("release", "release.number", sequence=fact.sequence, version=version)
    length = "-" if fact.bytes is None else fact.bytes
    page.tell("file", "release.file", bytes=length, sha256=fact.sha256)
    if fact.reason is not None:
        page.quote("reason", fact.reason)
    page.tell("effect", "release.effect")
    state = page.view.footing.state
    if state is None:
        page.tell("change", "change.unknown")
    else:
        _compare(page, fact, digest, state.releases)


def _compare(page: Page, fact: AgentReleased, digest: str, book: ReleaseBook) -> None:
    newest = book.newest
    if book.find(digest) is not None:
        page.tell("change", "release.same")
        return
    if newest is None:
        page.tell("change", "release.first")
        return
    page.tell(
        "change",
        "release.before",
        sequence=newest.sequence,
        version=tame(newest.fact.version),
        sha256=newest.fact.sha256[:16],
    )
    if (fact.sequence or 0) <= newest.sequence:
        page.warn("release-old", sequence=newest.sequence)
    again = book.of_bytes(fact.sha256)
    if again:
        page.warn("release-undo", sequence=again[-1].sequence, version=tame(again[-1].fact.version))
