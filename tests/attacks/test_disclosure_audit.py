"""Lies about deposits and erasures, as an auditor finds them in a bundle."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from sekisho.auditor import Trust, audit_bundle
from sekisho.auditor.bundle import as_bundle
from sekisho.auditor.verdicts import CheckResult
from sekisho.model.statements import DisclosureDeposited, DisclosureErased
from sekisho.model.wire import canonical
from sekisho.operations.bundle import collect_bundle
from sekisho.operations.leasing import GrantedLease
from sekisho.signing.deposit import Deposit
from tests import factory as f
from tests.deposited import HOLDERS, STRANGER, deposit
from tests.desks import TestDesk
from tests.operations.test_depositing import BASIS, granted

Forge = Callable[[Deposit], DisclosureDeposited | None]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TestDesk]:
    with TestDesk(tmp_path, holders=3) as made:
        yield made


class CrookedDepositor:
    """Stands where the desk's depositor stands, and states what a liar states."""

    def __init__(self, desk: TestDesk, forge: Forge) -> None:
        self.desk, self.forge = desk, forge

    def check(self, texts: object) -> None:
        pass

    def complete(self) -> None:
        for digest, concealed in tuple(self.desk.deposits.book.owed.items()):
            texts = self.desk.desk.disclosures_of(digest)
            honest = deposit(statement=digest, texts=texts, concealed=concealed)
            fact = self.forge(honest)
            if fact is not None:
                self.desk.desk.state_fact(fact)


def lie(desk: TestDesk, forge: Forge) -> GrantedLease:
    desk.desk.deposits = CrookedDepositor(desk, forge)
    return granted(desk)


def judged(desk: TestDesk, disclosures: dict[str, list[str]] | None = None) -> CheckResult:
    """What an auditor's check of deposits says of this desk's bundle."""
    desk.clock.move(1)
    desk.desk.mark_time()
    files = collect_bundle(
        cosigned=desk.cosigned(),
        tiles=desk.tiles,
        recorded=desk.desk.recorded(),
        private=desk.private,
        packs={},
    )
    if disclosures is not None:
        files["disclosures.json"] = canonical(disclosures)
    report = audit_bundle(as_bundle(files), Trust(policy=desk.root, known=()))
    return next(check for check in report.checks if check.name == "deposits")


def test_an_honest_deposit_holds(desk: TestDesk) -> None:
    """One deposit, three holders."""
    granted(desk)
    assert (judged(desk).verdict, judged(desk).detail) == ("holds", "1 deposits for 3 holders")


def test_a_charter_without_deposit_keys_holds(tmp_path: Path) -> None:
    """Nothing is asked, so nothing is missing; it is said."""
    with TestDesk(tmp_path) as desk:
        granted(desk)
        assert judged(desk).detail == "the charter names no deposit keys"


def test_a_missing_deposit_is_unverifiable(desk: TestDesk) -> None:
    """An issuer that leaves it out: what it concealed cannot be demanded."""
    lie(desk, lambda _: None)
    verdict = judged(desk)
    assert (verdict.verdict, "is not deposited" in verdict.detail) == ("unverifiable", True)


@pytest.mark.parametrize(
    ("forge", "said"),
    [
        (
            lambda d: deposit((*HOLDERS[:2], STRANGER), statement=d.statement).to_fact(f.NOW),
            "which the charter does not name",
        ),
        (
            lambda d: msgspec.structs.replace(d, threshold=1).to_fact(f.NOW),
            "opens to 1 of 3 holders",
        ),
        (
            lambda d: msgspec.structs.replace(d, content=d.content[:-1]).to_fact(f.NOW),
            "not padded",
        ),
        (
            lambda d: msgspec.structs.replace(d.to_fact(f.NOW), content="AB=="),
            "base64",
        ),
    ],
    ids=["a friend among the holders", "a lowered threshold", "cut content", "crooked base64"],
)
def test_a_deposit_that_the_charter_did_not_ask_for_fails(
    desk: TestDesk, forge: Forge, said: str
) -> None:
    """Each is seen from outside, without a key."""
    lie(desk, forge)
    verdict = judged(desk)
    assert (verdict.verdict, said in verdict.detail) == ("fails", True), verdict.detail


def test_a_deposit_for_what_nobody_stated_fails(desk: TestDesk) -> None:
    """It would be a hiding place in the log."""
    granted(desk)
    desk.desk.state_fact(deposit(statement="0" * 64).to_fact(desk.clock.now()))
    assert "nobody made before it" in judged(desk).detail


def test_an_erasure_of_what_nobody_stated_fails(desk: TestDesk) -> None:
    """So does a record of destroying nothing."""
    granted(desk)
    desk.desk.state_fact(DisclosureErased(effective=f.NOW, statement="0" * 64, basis=BASIS))
    assert "nobody stated" in judged(desk).detail


def test_a_bundle_that_discloses_what_is_erased_fails(desk: TestDesk) -> None:
    """Whoever kept a copy and hands it out breaks the erasure; the honest bundle leaves it out."""
    lease = granted(desk)
    (text,) = lease.disclosures
    fact = DisclosureErased(effective=f.NOW, statement=lease.admitted.digest, basis=BASIS)
    desk.desk.state_fact(fact)
    assert judged(desk).verdict == "holds"
    verdict = judged(desk, {lease.admitted.leaf: [text]})
    assert (verdict.verdict, "is disclosed here" in verdict.detail) == ("fails", True)
