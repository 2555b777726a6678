"""Attacks on published packs in an evidence bundle, one test each: swapped, edited, older, missing, out of order."""

from __future__ import annotations

import msgspec
import pytest

from sekisho.auditor import CheckResult
from sekisho.model.statements import PackPublished, PackReference, Reference
from sekisho.model.wire import sha256_hex
from tests import factory
from tests.factory_bundle import (
    T0,
    Cast,
    Item,
    Story,
    _fact_of,
    audit,
    check_of,
    honest_story,
    item,
    seal,
)
from tests.overlays import BASE, BASE_BYTES, newer_base, overlay

PATH = f"{BASE.name}-{BASE.version}"


def found(story: Story, name: str, verdict: str) -> CheckResult:
    """One check of a story, whose verdict it must be."""
    result = check_of(audit(seal(story)), name)
    assert result.verdict == verdict, result.detail
    return result


def published(data: bytes, name: str, version: str = "1") -> Item:
    """A pack published under these bytes' digest by a full quorum."""
    pack = PackReference(name=name, version=version, sha256=sha256_hex(data))
    fact = PackPublished(effective=T0, pack=pack, bytes=len(data))
    return item(fact, "authority-1", "authority-2")


def reformed(*, licensed: bool = False) -> Story:
    """An honest story with an overlay published over its pack; `licensed`, its licence is decided by the overlay."""
    story = honest_story()
    data = overlay()
    story.insert_after("pack", "reform", published(data, "loop-tightened"))
    story.packs["loop-tightened-1"] = data
    if licensed:
        _license_by(
            story, PackReference(name="loop-tightened", version="1", sha256=sha256_hex(data))
        )
    return story


def _license_by(story: Story, pack: PackReference) -> None:
    cast = Cast()
    run = factory.signed(_fact_of(story, cast, "run"), cast.signer("party-1"))
    fact = _fact_of(story, cast, "licence")
    changed = msgspec.structs.replace(
        fact,
        decision=msgspec.structs.replace(fact.decision, pack=pack),  # type: ignore[attr-defined]  # a licence
        declaration=Reference(log=factory.ORIGIN, leaf=_leaf(run.raw)),
    )
    story.replace("licence", item(changed, "authority-1", "authority-2"))


def _leaf(raw: bytes) -> str:
    from sekisho.ledger import leaf_hash

    return leaf_hash(raw).hex()


def test_rules_packs_over_their_bases_hold() -> None:
    """An overlay with its base in the bundle is read, and a licence that it decided is decided again."""
    story = reformed(licensed=True)
    assert "2 published packs" in found(story, "packs", "holds").detail
    found(story, "decisions", "holds")


def test_rules_pack_bytes_edited_after_publishing() -> None:
    """One byte more in a pack's file fails it, in a bundle whose manifest was sealed anew."""
    story = reformed()
    story.packs["loop-tightened-1"] += b"# \n"
    assert "not the pack that was published" in found(story, "packs", "fails").detail


def test_rules_pack_with_a_swapped_base() -> None:
    """Other bytes under the base's own path: the overlay and every licence by it fail."""
    story = reformed(licensed=True)
    story.packs[PATH] = BASE_BYTES.replace(b"1e24", b"1e25", 1)
    assert "not the base that it is laid over" in found(story, "packs", "fails").detail
    assert "not the base that it is laid over" in found(story, "decisions", "fails").detail


def test_rules_pack_whose_base_is_missing_is_unverifiable() -> None:
    """What is not there is never taken from the auditor's own shelf, and never passes."""
    story = reformed(licensed=True)
    del story.packs[PATH]
    found(story, "packs", "unverifiable")
    assert "base loop-2026 1 are missing" in found(story, "decisions", "unverifiable").detail


def test_rules_pack_of_an_older_version_by_name() -> None:
    """A licence by a version that a newer one had replaced is not by the pack in force."""
    story = honest_story()
    newer = newer_base()
    story.insert_after("pack", "newer", published(newer, BASE.name, "1.1"))
    story.packs[f"{BASE.name}-1.1"] = newer
    found(story, "packs", "holds")
    assert "was not in force: that was loop-2026 1.1" in found(story, "decisions", "fails").detail


def test_rules_pack_older_bytes_under_the_newer_name() -> None:
    """The older version's bytes under the newer one's path are not what was published."""
    story = honest_story()
    newer = newer_base()
    story.insert_after("pack", "newer", published(newer, BASE.name, "1.1"))
    story.packs[f"{BASE.name}-1.1"] = BASE_BYTES
    assert "not the pack that was published" in found(story, "packs", "fails").detail


def test_rules_overlay_published_before_its_base() -> None:
    """Whoever read the log then could not know what the overlay was laid over."""
    story = honest_story()
    data = overlay()
    story.insert_after("charter", "reform", published(data, "loop-tightened"))
    story.packs["loop-tightened-1"] = data
    assert "was not published before it" in found(story, "packs", "fails").detail


def test_rules_pack_that_calls_itself_otherwise() -> None:
    """Bytes published under a name that they do not bear fail, though their digest is right."""
    story = honest_story()
    story.insert_after("pack", "alias", published(BASE_BYTES, "another-name"))
    story.packs["another-name-1"] = BASE_BYTES
    assert "calls itself loop-2026 1" in found(story, "packs", "fails").detail


@pytest.mark.parametrize("data", [b"pack: [", b"\xff\xfe", b"pack: x\n" * 3])
def test_rules_pack_whose_bytes_are_no_pack(data: bytes) -> None:
    """Whatever was published, what cannot be read as a pack fails by file and line."""
    story = honest_story()
    story.insert_after("pack", "broken", published(data, "broken"))
    story.packs["broken-1"] = data
    assert "packs/broken-1.yaml" in found(story, "packs", "fails").detail
