"""Passports out of a running register and its log, and judged by an outsider."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from sekisho.adapters.storage import FileTileStore
from sekisho.app import open_papers
from sekisho.ledger.tree import leaf_hash
from sekisho.model.errors import InvalidInput
from sekisho.model.wire import decode_base64, encode_base64
from sekisho.operations.register.passports import Passports, PublishedBatches
from sekisho.operations.register.verifying import seen_in_entries, seen_in_log
from sekisho.registry.passport import Passport
from sekisho.registry.passport_check import judge_passport
from tests.chip_stories import GPU, capture, chip_regime, wait_logged
from tests.regime import LiveRegime
from tests.registry.passports import installed, received, shipped


@pytest.fixture(scope="module")
def regime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveRegime]:
    with chip_regime(tmp_path_factory.mktemp("chips")) as running:
        yield running


def papers(regime: LiveRegime, epc: str = GPU[0], **asked: Any) -> Passport:
    found = regime.control.papers.passport(epc, now=regime.now, **asked)
    assert found is not None
    return found


def test_a_proven_passport_holds_by_the_log_and_by_what_travels_with_it(regime: LiveRegime) -> None:
    """An outsider with the public log, or with the passport alone, comes to the same verdict under one root."""
    passport, root = papers(regime), regime.control.root
    by_log = seen_in_log(FileTileStore(regime.control.home.public), root)
    by_entries = seen_in_entries(passport, root)
    assert judge_passport(passport, by_log).verdict == "holds"
    assert judge_passport(passport, by_entries).verdict == "holds"
    assert all(by_log.committed[leaf] == made for leaf, made in by_entries.committed.items())


def test_the_present_standing_is_the_registers_own(regime: LiveRegime) -> None:
    """What the passport folds out of its lines is what the register's store says, for every chip of the story."""
    standings = regime.control.register.store.load_standings(GPU)
    for epc, standing in standings.items():
        assert papers(regime, epc, proven=False).standing == standing


def test_a_fresh_event_is_unverifiable_until_the_log_holds_it(regime: LiveRegime) -> None:
    """Captured and not stated yet: the line says so; once stated and witnessed it holds."""
    store, control = regime.control.register.store, regime.control
    unlogged = Passports(store, control.register.terms, log=control.root.origin, batches=None)
    passport = unlogged.load(GPU[3], now=regime.now)
    assert passport is not None
    assert {line.why for line in passport.lines} == {"no-entry"}
    assert passport.verdict == "unverifiable"
    assert papers(regime, GPU[3]).verdict == "holds"


def test_a_batch_beyond_the_witnessed_checkpoint_is_unverifiable(regime: LiveRegime) -> None:
    """Without a witnessed checkpoint no entry counts, though the register knows its index."""
    control = regime.control
    batches = PublishedBatches(control.tiles, lambda: None)
    unseen = Passports(
        control.register.store, control.register.terms, log="log", batches=batches
    ).load(GPU[3], now=regime.now)
    assert unseen is not None
    assert {line.why for line in unseen.lines} == {"no-entry"}
    assert unseen.entries == ()


def test_later_events_are_added_and_older_ones_keep_their_proofs(regime: LiveRegime) -> None:
    """A chip moves on: its passport grows by a line, and what was proved stays proved."""
    before = papers(regime, GPU[21])
    capture(regime, shipped(20, GPU[21]), "fab")
    capture(regime, received(22, GPU[21]), "cloud-x")
    wait_logged(regime)
    after = papers(regime, GPU[21])
    assert [line.act for line in after.lines] == ["register", "ship", "receive"]
    assert after.lines[0].proof == before.lines[0].proof
    assert after.verdict == "holds"


def test_as_of_shows_what_was_recorded_by_then(regime: LiveRegime) -> None:
    """By the end of an event's recorded time it is in view, and a moment earlier it is not."""
    last = papers(regime, GPU[5]).lines[-1]
    assert last.known is not None
    assert papers(regime, GPU[5], as_of=last.known).lines[-1].number == last.number
    earlier = papers(regime, GPU[5], as_of=last.known.plus(-0.001))
    assert last.number not in [line.number for line in earlier.lines]


def test_what_lies_in_a_server_moves_with_it(regime: LiveRegime) -> None:
    """An event that names the server only is in the chip's passport, in the role of what lies inside."""
    server = "https://chips.example/id/server/SRV-9"
    capture(regime, installed(30, GPU[18], parent=server), "cloud-x")
    capture(regime, received(29, GPU[18]), "cloud-x")
    capture(regime, _stored(31, server), "cloud-x")
    wait_logged(regime)
    passport = papers(regime, GPU[18])
    assert passport.lines[-1].roles == ("inside",)
    assert passport.lay_in[-1].container == server
    assert passport.verdict == "holds"


def test_a_chip_is_found_by_whatever_stands_on_it(regime: LiveRegime) -> None:
    """Identifier, serial, maker and serial lead to the identifier; anything else to nothing."""
    find = regime.control.papers.find
    assert find(GPU[7]) == find("GPU-0007") == find("fab/GPU-0007") == (GPU[7],)
    assert find(GPU[1] + "-unknown") == (GPU[1] + "-unknown",)
    assert find("GPU-9999") == find("") == ()


def test_an_identifier_that_nobody_wrote_has_no_passport(regime: LiveRegime) -> None:
    """No event, no passport: it is not an empty one."""
    assert regime.control.papers.passport("https://chips.example/none", now=regime.now) is None


@pytest.mark.parametrize("epc", ["a\x00b", "x" * 3000, "\ud800"])
def test_what_can_be_no_identifier_is_refused(regime: LiveRegime, epc: str) -> None:
    """Characters that cannot be seen, and endless texts, never reach the database."""
    with pytest.raises(InvalidInput):
        regime.control.papers.passport(epc, now=regime.now)


def test_papers_are_read_beside_the_running_register(regime: LiveRegime) -> None:
    """A second process opens the home's register read only and comes to the same passport."""
    with open_papers(regime.control.home) as beside:
        found = beside.passport(GPU[0], now=regime.now)
    assert found is not None
    mine = papers(regime)
    assert [line.number for line in found.lines] == [line.number for line in mine.lines]
    assert found.verdict == "holds"


def test_an_entry_of_another_log_proves_nothing(regime: LiveRegime) -> None:
    """Swapped, cut or re-signed entries that travel along commit to nothing, and the lines on them fail."""
    passport, root = papers(regime), regime.control.root
    first, *rest = passport.entries
    raw = decode_base64(first.envelope)
    other = decode_base64(rest[0].envelope)
    changed = raw.replace(b'"sig":"', b'"sig":"A', 1)
    for forged in (
        msgspec.structs.replace(first, envelope=encode_base64(other)),
        msgspec.structs.replace(first, envelope=encode_base64(changed)),
        msgspec.structs.replace(first, envelope="!"),
        msgspec.structs.replace(first, proof=rest[0].proof),
        msgspec.structs.replace(first, proof=""),
        msgspec.structs.replace(rest[0], leaf=first.leaf),
    ):
        shown = msgspec.structs.replace(passport, entries=(forged, *rest))
        judged = judge_passport(shown, seen_in_entries(shown, root))
        assert judged.lines[0].why == "another-entry"
        assert judged.verdict == "fails"
    assert leaf_hash(raw).hex() == first.leaf


def _stored(day: float, epc: str) -> dict[str, Any]:
    from tests.registry.passports import place, told

    return told(
        day,
        "ObjectEvent",
        action="OBSERVE",
        bizStep="storing",
        epcList=[epc],
        readPoint=place("hall-x"),
        bizLocation=place("hall-x"),
    )
