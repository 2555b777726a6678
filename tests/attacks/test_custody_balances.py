"""A party closes a balance with other figures than its register gives: an outsider who sees both finds it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from sekisho.adapters.storage.report_files import ReportFiles
from sekisho.auditor import CheckResult
from sekisho.model.statements import BalanceClosed
from sekisho.operations.register.balancing import Balances, draft_statements
from sekisho.registry.balance import Inventory, Item
from sekisho.signing import conceal
from tests import factory as f
from tests.factory_bundle import check_of
from tests.register_desk import RegisterDesk
from tests.registry.year import PARTIES, TERMS, commissioned, document_of, shipped

CHIPS = tuple(f"https://chips.example/id/gpu/SN-{n}" for n in range(1, 6))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[RegisterDesk]:
    """Five chips are made at the fab, two leave it."""
    with RegisterDesk(tmp_path, PARTIES, terms=TERMS) as made:
        for event in (commissioned(*CHIPS), shipped("fab", "dist-a", CHIPS[:2])):
            at = {"eventTime": str(made.clock.now().plus(-60))}
            made.capture(document_of([{**at, **event}], made.clock.now()), f.signer("fab"))
            made.clock.move(3_600)
        made.settle()
        yield made


def close(desk: RegisterDesk, *counted: str, **told: str) -> None:
    """Close the fab's balance over what was counted, and state it; `told` are figures changed before."""
    balances = Balances(desk.store, TERMS, ReportFiles(desk.folder / "balances"))
    now = desk.clock.now()
    inventory = Inventory(
        party="fab",
        area="fab-1",
        taken=now,
        items=tuple(Item(epc=epc) for epc in sorted(counted)),
    )
    closed = balances.close("fab-1", party="fab", until=now, now=now, inventory=inventory)
    draft = draft_statements(closed, os.urandom)[-1]
    assert isinstance(draft.fact, BalanceClosed)
    fields = {d.name: d.value for d in draft.disclosures}
    changed = {name: value for name, value in told.items() if name in fields}
    made = [conceal(name, v, os.urandom(16)) for name, v in {**fields, **changed}.items()]
    fact = msgspec.structs.replace(
        draft.fact,
        concealed=tuple(sorted(digest for digest, _ in made)),
        verdict=told.get("verdict", draft.fact.verdict),
        party=told.get("party", draft.fact.party),
    )
    envelope = f.signed(fact, f.signer(fact.party))
    texts = tuple(disclosure.text for _, disclosure in made)
    desk.test_desk.private.save_disclosures(envelope.digest, texts)
    desk.desk.admit(envelope.raw)


def verdict(desk: RegisterDesk, *, register: bool = True) -> CheckResult:
    return check_of(desk.audit(desk.files(register=register)), "balances")


def test_an_honest_balance_holds(desk: RegisterDesk) -> None:
    """Three chips are in the books, three were counted, three the events give."""
    close(desk, *CHIPS[2:])
    assert verdict(desk).verdict == "holds"


def test_an_honest_balance_with_a_missing_chip_holds_as_a_record(desk: RegisterDesk) -> None:
    """That something is missing is stated; the check asks whether the statement is true."""
    close(desk, *CHIPS[3:])
    assert verdict(desk).verdict == "holds"


def test_what_comes_after_the_closing_does_not_unmake_it(desk: RegisterDesk) -> None:
    """A later shipment, told late, changes the book from then on; the balance was right when it was closed."""
    close(desk, *CHIPS[2:])
    at = {"eventTime": str(desk.clock.now().plus(-1_800))}
    late = {**at, **shipped("fab", "dist-a", CHIPS[2:3])}
    desk.capture(document_of([late], desk.clock.now()), f.signer("fab"))
    assert verdict(desk).verdict == "holds"


def test_a_hidden_shortage_fails(desk: RegisterDesk) -> None:
    """Two were counted of three, and the figures are changed to agree."""
    close(
        desk, *CHIPS[3:], book="2", increases="4", unaccounted="0", cumulative="0", verdict="holds"
    )
    found = verdict(desk)
    assert found.verdict == "fails"
    assert "opening" not in found.detail


def test_figures_that_agree_with_each_other_and_not_with_the_events_fail(
    desk: RegisterDesk,
) -> None:
    """Five made, three shipped, two left: a consistent invention."""
    close(
        desk,
        *CHIPS[3:],
        increases="5",
        decreases="3",
        book="2",
        unaccounted="0",
        cumulative="0",
        verdict="holds",
    )
    found = verdict(desk)
    assert found.verdict == "fails"
    assert "the events put 3 in the area" in found.detail


def test_a_verdict_that_the_figures_do_not_bear_fails(desk: RegisterDesk) -> None:
    """One is missing, and it is said to hold."""
    close(desk, *CHIPS[3:], verdict="holds")
    found = verdict(desk)
    assert found.verdict == "fails"
    assert "said to hold" in found.detail


def test_a_balance_of_anothers_area_fails(desk: RegisterDesk) -> None:
    """A distributor closes the fab's books."""
    close(desk, *CHIPS[2:], party="dist-b")
    found = verdict(desk)
    assert found.verdict == "fails"
    assert "kept by fab, not by dist-b" in found.detail


def test_figures_that_are_not_disclosed_are_unverifiable(desk: RegisterDesk) -> None:
    """Nobody can add up what nobody shows; and without the events nothing is derived again."""
    close(desk, *CHIPS[2:])
    assert verdict(desk, register=False).verdict == "unverifiable"
    desk.desk.private.erase_disclosures(desk.desk.recorded()[-1].verified.digest)
    for entry in desk.desk.recorded():
        desk.test_desk.private.erase_disclosures(entry.verified.digest)
    found = verdict(desk)
    assert found.verdict == "unverifiable"
    assert "not disclosed" in found.detail
