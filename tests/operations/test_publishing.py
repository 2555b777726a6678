"""Publishing packs: what is refused before anybody signs, and which bytes belong to what is published."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from sekisho.model.errors import InvalidInput, StateConflict
from sekisho.model.statements import PackPublished, PackReference
from sekisho.operations.publishing import (
    PublicationPlan,
    check_publication,
    declared_requests,
    draft_publication,
    published_bytes,
)
from sekisho.rules import Pack, parse_pack
from tests import factory as f
from tests.desks import TestDesk
from tests.overlays import BASE, BASE_BYTES, newer_base, overlay


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TestDesk]:
    with TestDesk(tmp_path) as running:
        yield running


def read(data: bytes, *bases: bytes) -> Pack:
    by_digest = {hashlib.sha256(base).hexdigest(): base for base in (BASE_BYTES, *bases)}
    return parse_pack(data, "p.yaml", find_over=lambda wanted: by_digest.get(wanted.sha256))


def draft(desk: TestDesk, data: bytes, pack: Pack | None = None) -> PackPublished:
    pack = pack or read(data)
    return draft_publication(
        desk.desk.state, pack, data, PublicationPlan(summary="s"), now=desk.clock.now()
    )


def publish(desk: TestDesk, fact: PackPublished) -> None:
    desk.desk.admit(f.signed(fact, *f.AUTHORITY[:2]).raw)


def test_a_draft_names_the_pack_by_its_bytes(desk: TestDesk) -> None:
    """Name, version, digest and size are those of the file; a full quorum then puts it on the shelf."""
    data = overlay()
    fact = draft(desk, data)
    assert fact.pack.sha256 == hashlib.sha256(data).hexdigest()
    assert (fact.bytes, fact.summary, fact.emergency) == (len(data), "s", False)
    publish(desk, fact)
    assert desk.desk.state.shelf.find("loop-tightened", "1") == fact
    assert desk.desk.state.pack_in_force("loop-tightened", desk.clock.now()) == fact


def test_a_pack_that_counts_already_is_not_published_again(desk: TestDesk) -> None:
    """The draft says that nothing is to be done."""
    with pytest.raises(StateConflict, match="published and in force"):
        draft(desk, BASE_BYTES)


def test_a_version_has_one_digest_for_ever(desk: TestDesk) -> None:
    """Other bytes under a published version are refused at the draft, and at the desk whoever signs."""
    publish(desk, draft(desk, overlay()))
    changed = overlay(value="1e22")
    with pytest.raises(StateConflict, match="published with other bytes"):
        draft(desk, changed)
    fact = PackPublished(
        effective=desk.clock.now(), pack=read(changed).reference, bytes=len(changed)
    )
    with pytest.raises(StateConflict, match="published with other bytes"):
        publish(desk, fact)


def test_an_overlay_waits_for_its_base(desk: TestDesk) -> None:
    """Laid over a pack that this log does not hold it is refused, with what to publish first; then it is taken."""
    newer = newer_base()
    above = overlay(read(newer).reference)
    with pytest.raises(StateConflict, match=r"laid over loop-2026 1.1, which is not published"):
        draft(desk, above, read(above, newer))
    publish(desk, draft(desk, newer))
    publish(desk, draft(desk, above, read(above, newer)))


def test_an_overlay_over_other_bytes_than_were_published_is_refused(desk: TestDesk) -> None:
    """The same name and version with another digest is another pack."""
    other = BASE_BYTES + b"# another line\n"
    above = overlay(read(other).reference)
    with pytest.raises(StateConflict, match="other bytes of loop-2026 1"):
        draft(desk, above, read(above, other))


def test_a_pack_with_an_error_is_not_drafted(
    desk: TestDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the checks on packs call an error stops the publication; a warning does not."""
    from sekisho.operations import publishing
    from sekisho.rules.review import PackProblem

    def problems(severity: str) -> object:
        found = PackProblem(severity=severity, where="rules", what="a gap", remedy="close it")  # type: ignore[arg-type]  # the test's own word
        return lambda *_: (found,)

    monkeypatch.setattr(publishing, "check_pack", problems("error"))
    with pytest.raises(StateConflict, match="has 1 errors: rules: a gap"):
        draft(desk, overlay())
    monkeypatch.setattr(publishing, "check_pack", problems("warning"))
    assert draft(desk, overlay()).pack.name == "loop-tightened"


def test_other_bytes_than_those_read_are_refused(desk: TestDesk) -> None:
    """A draft over bytes that are not the pack's would publish what nobody read."""
    with pytest.raises(InvalidInput, match="not the bytes"):
        draft_publication(
            desk.desk.state, read(overlay()), b"x", PublicationPlan(), now=desk.clock.now()
        )


def test_an_emergency_does_not_wait_for_a_file(desk: TestDesk) -> None:
    """Without bytes at hand only the log's word is checked: nothing is decided by it until they are there."""
    pack = PackReference(name="urgent", version="1", sha256="1" * 64)
    fact = PackPublished(effective=desk.clock.now(), pack=pack, bytes=1, emergency=True)
    assert check_publication(desk.desk.state, fact, None) == []


def test_the_declared_runs_are_a_population(desk: TestDesk) -> None:
    """Each run of the log, as the rules are asked about it."""
    assert declared_requests(desk.desk.state) == ()
    desk.licensed()
    (asked,) = declared_requests(desk.desk.state)
    assert asked.kind == "training-run"


def test_the_bytes_of_a_pack_bring_those_of_its_bases() -> None:
    """Also a base that was never named; what is not at hand is left out, for an auditor to miss."""
    data = overlay()
    pack = read(data)
    shelf = {pack.sha256: data, BASE.sha256: BASE_BYTES}
    packs = {pack.sha256: pack}

    def bases_of(wanted: PackReference) -> tuple[PackReference, ...]:
        return packs[wanted.sha256].over

    def found(*known: str) -> set[str]:
        def find(wanted: PackReference) -> bytes | None:
            return shelf[wanted.sha256] if wanted.sha256 in known else None

        return set(published_bytes([pack.reference], find, bases_of))

    assert found(pack.sha256, BASE.sha256) == {"loop-tightened-1", "loop-2026-1"}
    assert found(pack.sha256) == {"loop-tightened-1"}


def test_an_emergency_is_drafted_for_fewer_signatures(desk: TestDesk) -> None:
    """One authority and one verifier put it on the shelf, from where it lapses; the full quorum makes it stay."""
    data = overlay()
    plan = PublicationPlan(emergency=True)
    urgent = draft_publication(desk.desk.state, read(data), data, plan, now=desk.clock.now())
    desk.desk.admit(f.signed(urgent, f.AUTHORITY[0], f.VERIFIER[0]).raw)
    assert "loop-tightened" in desk.desk.state.shelf.emergencies
    publish(desk, draft(desk, data))
    assert desk.desk.state.shelf.emergencies["loop-tightened"].is_over
