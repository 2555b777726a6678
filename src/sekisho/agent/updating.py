"""Whether a host takes a release. Pure: what is offered, what the log's witnesses have seen, what it had before.

Two chains must say the same, and neither is enough. The repository's roles (TUF) say that this is the newest file
and that their word is fresh; the log says that the charter's quorum for `publish-agent` released these very bytes under
this number. In this order:

1. the repository's word is fresh by the latest that it can be;
2. it offers something, and one number means one file;
3. the statement that it names is one that this host verified with its proof, and no key behind it was reported;
4. that statement says the same of the file as the repository does;
5. the log names nothing newer, and no other file under the same number;
6. the number is higher than any that this host ever had; the very same release again only finishes what a crash broke;
7. going back to bytes that were released before takes a reason in the statement and the word `--back` here.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Literal, TypeAlias

import msgspec

from sekisho.model.instants import Instant
from sekisho.ports.releases import Offer, Offered, Shelf
from sekisho.signing.releases import Release, ReleaseBook

__all__ = ["Judgement", "Known", "decide_update"]

Verdict: TypeAlias = Literal["holds", "fails", "unverifiable"]
Act: TypeAlias = Literal["install", "switch", "none"]


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What a host knows beside the repository: the log's releases, those in doubt, its shelf, and the latest time."""

    book: ReleaseBook
    doubted: AbstractSet[str]
    shelf: Shelf
    latest: Instant


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done with an offer, and why: a stable code, and words. Only what holds is ever installed."""

    verdict: Verdict
    code: str
    why: str
    act: Act = "none"
    offer: Offer | None = None


def decide_update(offered: Offered, known: Known, *, back: bool = False) -> Judgement:
    """The one release that counts, and whether this host takes it."""
    if offered.expires <= known.latest:
        return _fails("frozen-repository", f"the repository's word ended at {offered.expires}")
    if not offered.offers:
        return _unverifiable("nothing-offered", "the repository offers no release")
    highest = max(offer.sequence for offer in offered.offers)
    newest = [offer for offer in offered.offers if offer.sequence == highest]
    if len({offer.sha256 for offer in newest}) > 1:
        return _fails("reused-sequence", f"the repository has two files under number {highest}")
    offer = newest[0]
    against = _against_log(offer, known) or _against_shelf(offer, known.shelf)
    if against is not None:
        return msgspec.structs.replace(against, offer=offer)
    return msgspec.structs.replace(_take(offer, known, back=back), offer=offer)


def _against_log(offer: Offer, known: Known) -> Judgement | None:
    """What the log has against an offer; None where it says the same."""
    release = known.book.find(offer.statement)
    if release is None:
        return _unverifiable(
            "unknown-statement",
            f"no witnessed statement {offer.statement[:16]} that releases it is known here",
        )
    if release.digest in known.doubted:
        return _unverifiable(
            "doubtful-statement", "without a key that was reported, its statement lacks its quorum"
        )
    told = (release.fact.version, release.sequence, release.fact.sha256)
    same = told == (offer.version, offer.sequence, offer.sha256)
    if not same or release.fact.bytes not in (None, offer.bytes):
        return _fails("other-release", "the log releases another file than the repository offers")
    rows = known.book.ordered()
    if any(row.sequence == offer.sequence and row.fact.sha256 != offer.sha256 for row in rows):
        return _fails("reused-sequence", f"the log names two files under number {offer.sequence}")
    newer = [row for row in rows if row.sequence > offer.sequence]
    return _withheld(newer[-1], offer) if newer else None


def _withheld(newest: Release, offer: Offer) -> Judgement:
    return _unverifiable(
        "withheld-release",
        f"the log names release {newest.sequence} ({newest.fact.version}), the repository"
        f" offers no newer one than {offer.sequence}",
    )


def _against_shelf(offer: Offer, shelf: Shelf) -> Judgement | None:
    """What this host's own memory has against it."""
    had = shelf.find(offer.sequence)
    if had is not None and had.sha256 != offer.sha256:
        return _fails("reused-sequence", f"release {offer.sequence} was another file before")
    if offer.sequence < shelf.highest:
        return _fails(
            "downgrade", f"release {offer.sequence} is older than {shelf.highest}, once taken here"
        )
    return None


def _take(offer: Offer, known: Known, *, back: bool) -> Judgement:
    shelf = known.shelf
    if shelf.find(offer.sequence) is not None:
        if shelf.current == offer.sequence:
            return _holds("current", f"release {offer.sequence} is in place already", "none")
        return _holds(
            "unfinished", f"release {offer.sequence} is here, `current` is behind", "switch"
        )
    release = known.book.find(offer.statement)
    reason = release.fact.reason if release is not None else None
    earlier = [row for row in known.book.of_bytes(offer.sha256) if row.sequence < offer.sequence]
    is_back = bool(earlier) or any(row.sha256 == offer.sha256 for row in shelf.placed)
    if is_back and reason is None:
        return _fails("silent-undo", "these bytes were released before, and nobody says why again")
    if is_back and not back:
        return _fails("undo-unasked", f"it goes back to {offer.version} ({reason}): say --back")
    if back and not is_back:
        return _fails(
            "no-undo", "no newer statement names an earlier release: there is no way back"
        )
    return _holds("newer", f"release {offer.sequence}, {offer.version}", "install")


def _holds(code: str, why: str, act: Act) -> Judgement:
    return Judgement(verdict="holds", code=code, why=why, act=act)


def _fails(code: str, why: str) -> Judgement:
    return Judgement(verdict="fails", code=code, why=why)


def _unverifiable(code: str, why: str) -> Judgement:
    return Judgement(verdict="unverifiable", code=code, why=why)
