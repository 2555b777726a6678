"""Books re-added by an outsider: shares, forks and terms, and the issuer that lies about them and signs it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from sekisho.auditor import CheckResult, Trust, audit_bundle, open_evidence
from sekisho.ledger.sequencer import Submission
from sekisho.licensing import ReceiptFork
from sekisho.model.statements import (
    BudgetShare,
    LeaseClosed,
    LeaseGranted,
    OutageDeclared,
    Predicate,
    Reference,
    Span,
    parse_payload,
)
from sekisho.operations.bundle import collect_bundle, write_bundle
from sekisho.operations.leasing import LeaseCounter
from sekisho.operations.registers import keep_registers
from sekisho.rules import load_pack, pack_bytes
from sekisho.signing import Recorded, Signer, conceal, parse_envelope
from tests import factory as f
from tests.desks import TestDesk
from tests.holders import PEAK, QUANTUM, Holder, leaf_of, license_hosts

SECOND = f.signer("operator-2")
WHOLE = PEAK * 62
BUDGET = 5 * WHOLE
SPLIT = (
    BudgetShare(
        share="first",
        budget_flop=str(3 * WHOLE),
        issuer=f.OPERATOR.public.key_id,
        sites=("site-1", "site-2"),
    ),
    BudgetShare(share="second", budget_flop=str(2 * WHOLE), issuer=SECOND.public.key_id),
)


class Regime:
    """Two hosts, two issuers with a share each, and a lease of each host that was spent and closed."""

    def __init__(self, desk: TestDesk, folder: Path) -> None:
        self.desk = desk
        self._folder = folder
        self._forged: list[Recorded] = []

    def begin(self) -> Regime:
        desk = self.desk
        self.licence = license_hosts(desk.desk, 2, budget_flop=BUDGET, shares=SPLIT)
        self.first, self.second = (Holder(n, self.licence.leaf) for n in (1, 2))
        self.other = LeaseCounter(desk.desk, signer=SECOND)
        self.other.load()
        self.renew(desk.leases, self.first)
        self.renew(self.other, self.second)
        return self

    def renew(self, counter: LeaseCounter, holder: Holder, *, final: bool = True) -> str:
        lease = counter.grant(holder.request())
        holder.took()
        counter.take_receipt(holder.receipt(leaf_of(lease)))
        if final:
            counter.take_receipt(holder.receipt(leaf_of(lease), stage="final"))
        return leaf_of(lease)

    def lease(self, **changes: object) -> LeaseGranted:
        """The lease that the first host holds, with other words in it; its allowance anew."""
        (state,) = self.desk.desk.state.licences.licences.values()
        granted = next(each.granted for each in state.leases if each.granted.host == "host-1")
        return msgspec.structs.replace(granted, number=2, **changes)

    def conceal(self, name: str, flop: int, predicate: Predicate, signer: Signer) -> Predicate:
        """With an amount, opened in the bundle."""
        digest, disclosure = conceal(name, str(flop), bytes(16))
        concealed = msgspec.structs.replace(predicate, concealed=(digest,))
        payload = f.signed(concealed, signer).digest
        self.desk.private.save_disclosures(payload, (disclosure.text,))
        return concealed

    def forge(self, predicate: Predicate, signer: Signer) -> None:
        """What the control plane would never admit, put into its log by whoever runs it."""
        keep_registers(self.desk.desk)
        envelope = f.signed(predicate, signer)
        self._forged.append(self.desk.desk.state.verify(envelope.raw))
        self.desk.sequencer.append_one(
            Submission(envelope=envelope.raw, payload_sha256=bytes.fromhex(envelope.digest))
        )

    def check(self, name: str) -> CheckResult:
        """What an outsider's audit of the regime's bundle says under one name."""
        self.desk.sequencer.mark_time()
        recorded = [*self.desk.desk.recorded(), *self._forged]
        pack = load_pack().reference
        files = collect_bundle(
            cosigned=self.desk.cosigned(),
            tiles=self.desk.tiles,
            recorded=recorded,
            private=self.desk.private,
            packs={f"{pack.name}-{pack.version}": pack_bytes()},
        )
        write_bundle(self._folder, files, origin=f.ORIGIN, signer=f.LOG, now=self.desk.clock.now())
        report = audit_bundle(open_evidence(self._folder), Trust(policy=self.desk.root, known=()))
        return next(check for check in report.checks if check.name == name)


@pytest.fixture
def regime(tmp_path: Path) -> Iterator[Regime]:
    with TestDesk(tmp_path / "desk", operators=(f.OPERATOR, SECOND)) as desk:
        yield Regime(desk, tmp_path / "bundle").begin()


@pytest.mark.parametrize("name", ["leases", "budgets", "receipts"])
def test_an_honest_split_budget_adds_up(regime: Regime, name: str) -> None:
    """Shares, terms and closings of two issuers, from the bytes alone."""
    regime.renew(regime.desk.leases, regime.first)
    regime.desk.clock.move(3_600)
    regime.desk.leases.close_overdue()
    check = regime.check(name)
    assert check.verdict == "holds", check.detail


def test_an_issuer_that_overspends_its_share_is_found(regime: Regime) -> None:
    """Its key is the right one and the licence has as much left, in the other share."""
    fact = regime.lease(term=1)
    regime.forge(regime.conceal("allowance_flop", 3 * WHOLE, fact, f.OPERATOR), f.OPERATOR)
    check = regime.check("budgets")
    assert check.verdict == "fails"
    assert "does not fit" in check.detail


@pytest.mark.parametrize(
    ("change", "signer", "word"),
    [
        ({"term": None}, f.OPERATOR, "stale-term"),
        ({"share": "second", "term": 1}, f.OPERATOR, "wrong-issuer"),
        ({"share": "first", "term": 9}, SECOND, "wrong-issuer"),
        ({"share": None, "term": 1}, f.OPERATOR, "unknown-share"),
        ({"share": "third", "term": 1}, f.OPERATOR, "unknown-share"),
    ],
    ids=["old term", "another's share", "by the other", "no share", "a share that is none"],
)
def test_a_lease_that_its_issuer_could_not_grant_is_found(
    regime: Regime, change: dict[str, object], signer: Signer, word: str
) -> None:
    """Signed by a key that has the power, and still no lease."""
    regime.forge(regime.conceal("allowance_flop", PEAK, regime.lease(**change), signer), signer)
    check = regime.check("leases")
    assert check.verdict == "fails"
    assert word in check.detail


def test_a_lease_from_a_share_of_another_site_is_found(tmp_path: Path) -> None:
    """host-1 stands at site-1; the share is for site-2."""
    split = (BudgetShare(share="first", budget_flop=str(BUDGET), sites=("site-2",)),)
    with TestDesk(tmp_path / "desk") as desk:
        licence = license_hosts(desk.desk, 2, budget_flop=BUDGET, shares=split)
        lease = desk.leases.grant(Holder(2, licence.leaf).request())
        regime = Regime(desk, tmp_path / "bundle")
        fact = parse_payload(parse_envelope(lease.envelope).payload).predicate
        assert isinstance(fact, LeaseGranted)
        moved = msgspec.structs.replace(fact, host="host-1", number=1)
        regime.forge(regime.conceal("allowance_flop", PEAK, moved, f.OPERATOR), f.OPERATOR)
        check = regime.check("leases")
        assert check.verdict == "fails"
        assert "draws on share first, which is not for site site-1" in check.detail


def test_a_fork_is_added_and_what_is_overdrawn_is_shown(regime: Regime) -> None:
    """The books say by how much the share was overspent, and the auditor says it with them."""
    for _ in range(2):
        regime.renew(regime.desk.leases, regime.first, final=False)
    lease = regime.desk.leases.grant(regime.first.request())
    regime.first.took()
    clone = regime.first.receipt(leaf_of(lease), reserved=58 * PEAK, keep=False)
    regime.desk.leases.take_receipt(regime.first.receipt(leaf_of(lease), reserved=57 * PEAK))
    with pytest.raises(ReceiptFork):
        regime.desk.leases.take_receipt(clone)
    budgets = regime.check("budgets")
    assert budgets.verdict == "fails"
    book = regime.desk.desk.state.licences.licences[regime.licence.leaf].books.of("first")
    assert book.overdrawn > 0
    assert f"share first: {book.overdrawn} FLOP were consumed beyond its budget" in budgets.detail


def test_an_issuer_that_closes_a_fork_for_less_than_its_branches_is_found(regime: Regime) -> None:
    """The receipts of both branches are evidence; what they reserved is the least that was taken."""
    leaf = regime.renew(regime.desk.leases, regime.first, final=False)
    fact = LeaseClosed(
        effective=regime.desk.clock.now(),
        lease=Reference(log=f.ORIGIN, leaf=leaf),
        licence=Reference(log=f.ORIGIN, leaf=regime.licence.leaf),
        host="host-1",
        number=2,
        how="forked",
    )
    regime.forge(regime.conceal("consumed_flop", QUANTUM - 1, fact, f.OPERATOR), f.OPERATOR)
    check = regime.check("budgets")
    assert check.verdict == "fails"
    assert f"was closed at {QUANTUM - 1} FLOP, its receipts reserved {QUANTUM}" in check.detail


def test_a_lease_forfeited_while_an_outage_covers_its_host_is_found(regime: Regime) -> None:
    """After its grace and the clock error, and before the outage is over."""
    leaf = regime.renew(regime.desk.leases, regime.first, final=False)
    now = regime.desk.clock.now()
    outage = OutageDeclared(
        effective=now,
        outage="power",
        period=Span(start=now, end=now.plus(600)),
        reason="the data centre is without power",
    )
    regime.desk.desk.admit(f.signed(outage, *f.AUTHORITY[:2], f.OPERATOR).raw)
    regime.desk.clock.move(120)
    fact = LeaseClosed(
        effective=regime.desk.clock.now(),
        lease=Reference(log=f.ORIGIN, leaf=leaf),
        licence=Reference(log=f.ORIGIN, leaf=regime.licence.leaf),
        host="host-1",
        number=2,
        how="forfeited",
    )
    regime.forge(regime.conceal("consumed_flop", QUANTUM, fact, f.OPERATOR), f.OPERATOR)
    check = regime.check("budgets")
    assert check.verdict == "fails"
    assert "lease 2 of host-1 was forfeited before its grace was over" in check.detail
