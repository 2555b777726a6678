"""What an auditor would fail is not admitted in the first place, however many keys signed it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sekisho.model.errors import StateConflict
from sekisho.model.statements import LeaseTerms, LicenceDecision, LicenceIssued, Lineage
from sekisho.operations.desk import Admitted
from sekisho.operations.running import LicencePlan, RunRefused, draft_licence
from sekisho.rules import load_pack
from tests import factory as f
from tests.desks import MovingClock, TestDesk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TestDesk]:
    with TestDesk(tmp_path) as made:
        made.desk.admit(f.signed(f.run_declared(), f.PARTY).raw)
        yield made


def draft(desk: TestDesk) -> LicenceIssued:
    plan = LicencePlan(
        number="LIC-1",
        terms=LeaseTerms(interval_s=60, grace_s=2, quantum_s=2),
        mode="kill",
    )
    return draft_licence(desk.desk.state, "run-1", load_pack(), plan, now=desk.clock.now())


def issue(desk: TestDesk, licence: LicenceIssued) -> Admitted:
    return desk.desk.admit(f.signed(licence, *f.AUTHORITY[:2]).raw)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"budget_flop": "1000000000001"}, "its budget is above"),
        ({"licensee": "party-2"}, "declared by party-1"),
        ({"hosts": ("host-2",)}, "not enrolled: host-2"),
        ({"devices_root": "1" * 64}, "root of devices"),
        ({"lineage": Lineage(scratch=False, parents=("a" * 64,))}, "another lineage"),
        ({"lease": LeaseTerms(interval_s=86_400, grace_s=3_601, quantum_s=2)}, "lease terms"),
    ],
)
def test_a_licence_that_does_not_fit_what_was_declared_is_refused(
    desk: TestDesk, changes: dict[str, Any], told: str
) -> None:
    """Two of five keys do not make it fit."""
    with pytest.raises(StateConflict, match=told):
        issue(desk, msgspec.structs.replace(draft(desk), **changes))


def test_a_licence_whose_decision_the_rules_do_not_give_is_refused(desk: TestDesk) -> None:
    """The rules are asked again, from the published bytes."""
    licence = draft(desk)
    said = LicenceDecision(
        decision="licence", rules=("somebody-said-so",), pack=licence.decision.pack
    )
    with pytest.raises(StateConflict, match="the rules say permit"):
        issue(desk, msgspec.structs.replace(licence, decision=said))


def test_a_licence_by_a_pack_that_nobody_published_is_refused(desk: TestDesk) -> None:
    """A decision rests on bytes that anybody can get."""
    licence = draft(desk)
    pack = msgspec.structs.replace(licence.decision.pack, sha256="1" * 64)
    said = msgspec.structs.replace(licence.decision, pack=pack)
    with pytest.raises(StateConflict, match="not published"):
        issue(desk, msgspec.structs.replace(licence, decision=said))


def test_a_run_that_the_rules_deny_gets_no_draft(desk: TestDesk) -> None:
    """Above 10^24 FLOP there is nothing to sign."""
    desk.desk.admit(f.signed(f.run_declared("run-2", planned_flop=str(10**24 + 1)), f.PARTY).raw)
    plan = LicencePlan(
        number="LIC-2", terms=LeaseTerms(interval_s=60, grace_s=2, quantum_s=2), mode="kill"
    )
    with pytest.raises(RunRefused, match="deny"):
        draft_licence(desk.desk.state, "run-2", load_pack(), plan, now=desk.clock.now())


def test_an_expired_charter_licenses_nothing_and_still_pauses(tmp_path: Path) -> None:
    """Expiry stops new licences; hold, pause and resume go on."""
    from tests.operations.test_desk import issue as issue_order
    from tests.operations.test_desk import pause_plan

    clock = MovingClock()
    with TestDesk(tmp_path, clock) as desk:
        desk.desk.admit(f.signed(f.run_declared(), f.PARTY).raw)
        licence = draft(desk)
        clock.move(366 * 86_400)
        with pytest.raises(StateConflict, match="charter expired"):
            issue(desk, licence)
        assert issue_order(desk, pause_plan()).number == 1


def test_a_licensee_that_holds_a_pause_key_is_refused(desk: TestDesk) -> None:
    """Who is licensed does not sit in the quorum that could pause it."""
    party = msgspec.structs.replace(
        f.party_enrolled(),
        party="party-2",
        organisation="Verifier",
        public=f.signer("party-2").public.to_text(),
    )
    desk.desk.admit(f.signed(party, f.AUTHORITY[0]).raw)
    run = msgspec.structs.replace(f.run_declared("run-2"), party="party-2")
    desk.desk.admit(f.signed(run, f.signer("party-2")).raw)
    plan = LicencePlan(
        number="LIC-2", terms=LeaseTerms(interval_s=60, grace_s=2, quantum_s=2), mode="kill"
    )
    licence = draft_licence(desk.desk.state, "run-2", load_pack(), plan, now=desk.clock.now())
    with pytest.raises(StateConflict, match="holds a key in a pause quorum"):
        issue(desk, licence)
