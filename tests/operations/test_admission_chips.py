"""Statements about chips at the desk: who may bring which, and what the log keeps unique."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sekisho.ledger.sequencer import UniquenessConflict
from sekisho.model.errors import InvalidInput, StateConflict
from sekisho.model.statements import (
    ChipRegistered,
    ChipTags,
    CustodyMoved,
    IrregularityFound,
    Predicate,
    Span,
)
from sekisho.signing import UnknownSpeaker
from tests import factory as f
from tests.desks import TestDesk
from tests.factory_kinds import one_of_each

EACH = one_of_each()
OWN = ("chip-registered", "custody-moved", "irregularity-found")
OF_A_PARTY = ("inventory-taken", "balance-closed", "production-reported")
LATER = f.NOW.plus(3_600)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TestDesk]:
    with TestDesk(tmp_path) as made:
        yield made


def bare(kind: str, **changes: Any) -> Predicate:
    """Without concealed fields, which nobody here discloses."""
    fact = EACH[kind]
    hidden = {"concealed": ()} if hasattr(fact, "concealed") else {}
    return msgspec.structs.replace(fact, **{**hidden, **changes})


def admit(desk: TestDesk, fact: Predicate) -> None:
    desk.desk.admit(f.signed(fact, f.PARTY).raw)


@pytest.mark.parametrize("kind", OWN)
def test_what_the_register_states_is_refused_from_outside(desk: TestDesk, kind: str) -> None:
    """Also under the operator's own key: it comes from the register or not at all."""
    with pytest.raises(InvalidInput, match="made by the control plane itself"):
        desk.desk.admit(f.signed(bare(kind), f.OPERATOR).raw)
    assert desk.desk.state_fact(bare(kind)).fresh


@pytest.mark.parametrize("kind", OF_A_PARTY)
def test_a_party_brings_its_own_reports(desk: TestDesk, kind: str) -> None:
    """Under its enrolled key; the same again is the same entry, the same report in another statement is refused."""
    admit(desk, bare(kind))
    size = desk.desk.state.size
    admit(desk, bare(kind))
    assert desk.desk.state.size == size
    with pytest.raises(UniquenessConflict):
        admit(desk, bare(kind, effective=f.NOW.plus(-1)))


@pytest.mark.parametrize("kind", OF_A_PARTY)
def test_a_report_in_the_name_of_a_party_that_nobody_enrolled_is_refused(
    desk: TestDesk, kind: str
) -> None:
    """Its key cannot be known."""
    with pytest.raises(UnknownSpeaker):
        admit(desk, bare(kind, party="party-9"))


@pytest.mark.parametrize("kind", ["balance-closed", "production-reported"])
@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"period": Span(start=f.NOW, end=f.NOW)}, "before it begins"),
        ({"period": Span(start=f.NOW, end=LATER)}, "it is"),
        ({"corrects": "6" * 64, "report": "6" * 64}, "corrects itself"),
    ],
    ids=["empty period", "period not over", "corrects itself"],
)
def test_a_report_that_makes_no_sense_is_refused(
    desk: TestDesk, kind: str, change: dict[str, Any], told: str
) -> None:
    """A period is over when it is reported, and a report corrects another one."""
    with pytest.raises(InvalidInput, match=told):
        admit(desk, bare(kind, **change))


def test_a_count_of_tomorrow_is_refused(desk: TestDesk) -> None:
    """Nobody has counted yet."""
    with pytest.raises(InvalidInput, match="taken"):
        admit(desk, bare("inventory-taken", taken=LATER))


def test_no_tag_is_registered_twice(desk: TestDesk) -> None:
    """Neither in one statement nor in two; serials and device keys are told apart."""
    one, two = ChipTags(serial="1" * 64), ChipTags(serial="2" * 64, device_key="3" * 64)
    register(desk, one, two)
    for again in (one, ChipTags(serial="4" * 64, device_key="3" * 64)):
        with pytest.raises(UniquenessConflict):
            register(desk, again, batch="b" * 64)
    with pytest.raises(StateConflict, match="twice"):
        register(desk, ChipTags(serial="5" * 64), ChipTags(serial="5" * 64))
    # A device key is no serial, though its digits are the same.
    register(desk, ChipTags(serial="3" * 64), batch="c" * 64)


def test_a_batch_number_and_a_finding_stand_once(desk: TestDesk) -> None:
    """Another root under the same number, another detail about the same thing."""
    desk.desk.state_fact(CustodyMoved(effective=f.NOW, batch=1, events=1, root="1" * 64))
    with pytest.raises(UniquenessConflict):
        desk.desk.state_fact(CustodyMoved(effective=f.NOW, batch=1, events=1, root="2" * 64))
    found = IrregularityFound(
        effective=f.NOW, irregularity="shortage", books="custody", about="a" * 64
    )
    desk.desk.state_fact(found)
    with pytest.raises(UniquenessConflict):
        desk.desk.state_fact(msgspec.structs.replace(found, count=2))


def test_ten_thousand_batches_leave_the_desk_small(desk: TestDesk) -> None:
    """A batch is held as its entry and nothing besides: no list of spoken statements grows with it."""
    before = len(desk.desk.state.regime.spoken)
    for batch in range(1, 21):
        fact = CustodyMoved(effective=f.NOW, batch=batch, events=1, root=f"{batch:064x}")
        desk.desk.state_fact(fact)
    assert len(desk.desk.state.regime.spoken) == before


def register(desk: TestDesk, *chips: ChipTags, batch: str = "a" * 64) -> None:
    desk.desk.state_fact(ChipRegistered(effective=f.NOW, batch=batch, chips=chips))
