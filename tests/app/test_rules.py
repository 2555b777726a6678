"""The packs of a regime: at hand, kept, published, missing; which is found by name and version."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sekisho.app import Home, PublicationPlan, draft_publication, keep_pack
from sekisho.app.rules import collect_packs
from sekisho.model.errors import InvalidInput, StateConflict
from sekisho.model.statements import PackPublished, PackReference
from sekisho.rules import load_pack, pack_names
from tests.factory import AUTHORITY
from tests.overlays import BASE, BASE_BYTES, newer_base, overlay
from tests.regime import LiveRegime, live_regime


@pytest.fixture(scope="module")
def regime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveRegime]:
    with live_regime(tmp_path_factory.mktemp("regime")) as running:
        yield running


def publish(regime: LiveRegime, data: bytes) -> PackReference:
    control = regime.control
    pack = control.home.parse_pack(data, "p.yaml")
    fact = draft_publication(control.desk.state, pack, data, PublicationPlan(), now=regime.now)
    keep_pack(control.home, control.desk.state, pack, data)
    regime.submit(fact, *AUTHORITY[:2])
    return pack.reference


def test_what_ships_is_at_hand_and_what_is_published_counts(regime: LiveRegime) -> None:
    """Each shipped pack once; the published one counts."""
    rows = {row.reference.name: row for row in regime.control.rules.packs(regime.now)}
    assert set(pack_names()) <= set(rows)
    assert (rows["loop-2026"].place, rows["loop-2026"].counts) == ("shipped", True)
    assert (rows["us-ear"].published, rows["us-ear"].counts) == (None, False)


def test_a_published_pack_without_its_bytes_is_missing(regime: LiveRegime) -> None:
    """It is named, and found by nobody; one whose digest no bytes here have is never guessed."""
    pack = PackReference(name="elsewhere", version="1", sha256="9" * 64)
    regime.submit(PackPublished(effective=regime.now, pack=pack, bytes=9), *AUTHORITY[:2])
    row = next(r for r in regime.control.rules.packs(regime.now) if r.reference == pack)
    assert (row.place, row.pack, row.counts) == ("missing", None, True)
    assert regime.control.rules.find("elsewhere", regime.now) is None
    assert "elsewhere-1" not in collect_packs(regime.control.home, regime.control.desk.state)


def test_a_newer_version_counts_and_the_older_is_found_by_its_version(regime: LiveRegime) -> None:
    """By name the pack in force, by version any that was published."""
    newer = publish(regime, newer_base())
    rules = regime.control.rules
    assert rules.find("loop-2026", regime.now) == regime.control.home.find_pack(newer)
    older = rules.find("loop-2026", regime.now, "1")
    assert older is not None
    assert older.reference == BASE
    assert rules.find("loop-2026", regime.now, "7") is None
    assert rules.find("no-such-pack", regime.now) is None
    shipped = rules.find("us-ear", regime.now, load_pack("us-ear").version)
    assert shipped == load_pack("us-ear")


def test_a_bundle_takes_published_packs_and_their_bases_alone(regime: LiveRegime) -> None:
    """What was kept for a draft that nobody signed stays in the home."""
    control = regime.control
    (control.home.packs / "draft-1.yaml").write_bytes(b"pack: draft\n")
    publish(regime, overlay())
    packs = collect_packs(control.home, control.desk.state)
    assert "draft-1" not in packs
    assert packs["loop-2026-1"] == BASE_BYTES
    assert packs["loop-tightened-1"] == overlay()


def test_a_licences_warnings_are_told_and_never_guessed(regime: LiveRegime) -> None:
    """What its decision rests on; nothing where the pack is not at hand."""
    import msgspec

    (state,) = regime.control.desk.state.licences.by_run("run-1")
    assert isinstance(regime.control.rules.warnings_of(state.licence), tuple)
    pack = PackReference(name="gone", version="1", sha256="8" * 64)
    decision = msgspec.structs.replace(state.licence.decision, pack=pack)
    other = msgspec.structs.replace(state.licence, decision=decision)
    assert regime.control.rules.warnings_of(other) == ()


def test_published_bytes_never_give_way(regime: LiveRegime) -> None:
    """A file of a published version that somebody changed is not written over by a draft, nor taken for it."""
    control = regime.control
    publish(regime, overlay(version="4"))
    data = overlay(version="4", value="1e20")
    pack = control.home.parse_pack(data, "p.yaml")
    with pytest.raises(StateConflict, match="other bytes"):
        keep_pack(control.home, control.desk.state, pack, data)
    kept = control.home.packs / "loop-tightened-4.yaml"
    kept.write_bytes(b"changed")
    reference = control.home.parse_pack(overlay(version="4"), "p.yaml").reference
    assert control.home.find_pack(reference) is None


def test_a_base_that_is_not_at_hand_is_named(tmp_path: Path) -> None:
    """Reading an overlay says which base is missing, in which line."""
    home = Home.open(tmp_path / "home")
    absent = PackReference(name="nowhere", version="1", sha256="0" * 64)
    with pytest.raises(InvalidInput, match=r"p.yaml:\d+: .*'nowhere' is not at hand"):
        home.parse_pack(overlay(absent), "p.yaml")


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b", "A", ""])
def test_a_reference_reaches_no_other_file(tmp_path: Path, name: str) -> None:
    """A name that no pack can bear is looked for nowhere, whatever lies at that place."""
    home = Home.open(tmp_path / "home")
    (tmp_path / "home" / "passwd-1.yaml").write_bytes(BASE_BYTES)
    reference = PackReference(name=name, version="1", sha256=BASE.sha256)
    assert home.find_pack_bytes(reference) is None
    assert home.find_pack(reference) is None
