"""Deposits at the desk: made when something is stated, opened by k of n holders, erased for good on demand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sekisho.adapters.keys.deposit_keys import ShamirSharing
from sekisho.auditor import Trust, audit_bundle, open_evidence
from sekisho.model.errors import InvalidInput, NotAuthorised, StateConflict
from sekisho.model.statements import DisclosureDeposited, DisclosureErased, Predicate
from sekisho.operations.bundle import collect_bundle, write_bundle
from sekisho.operations.desk import Admitted
from sekisho.operations.disclosing import Concealed, find_concealed
from sekisho.operations.leasing import GrantedLease, LeaseRefused
from sekisho.operations.registers import keep_registers
from sekisho.rules import load_pack, pack_bytes
from sekisho.signing import concealed_of, open_fields
from sekisho.signing.deposit import combine_shares, open_share
from tests import factory as f
from tests.deposited import HOLDERS, STRANGER
from tests.desks import TestDesk
from tests.operations.test_leasing import receipt

BASIS = "Data protection act, section 17"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TestDesk]:
    """A desk under a charter with three deposit keys."""
    with TestDesk(tmp_path, holders=3) as made:
        yield made


def kinds(desk: TestDesk) -> list[str]:
    return [recorded.verified.kind for recorded in desk.desk.recorded()]


def granted(desk: TestDesk) -> GrantedLease:
    return desk.leases.grant(desk.request(desk.licensed()))


def closed(desk: TestDesk) -> Admitted:
    """A lease that ended by its final receipt; its closing."""
    lease = granted(desk)
    desk.leases.take_receipt(receipt(lease, stage="final", reserved=0))
    (recorded,) = [r for r in desk.desk.recorded() if r.verified.kind == "lease-closed"]
    return Admitted(
        index=recorded.index, leaf=recorded.leaf, digest=recorded.verified.digest, fresh=False
    )


def read(desk: TestDesk, digest: str) -> Concealed:
    """What an outsider's reading of the public log finds about a statement."""
    desk.desk.mark_time()
    desk.cosigned()
    return find_concealed(desk.tiles, desk.root, digest)


def test_what_is_concealed_is_deposited_when_it_is_stated(desk: TestDesk) -> None:
    """Right behind the lease; two of the three holders read the allowance out of the public log."""
    lease = granted(desk)
    assert kinds(desk)[-2:] == ["lease-granted", "disclosure-deposited"]
    found = read(desk, lease.admitted.digest)
    deposit = found.require_deposit()
    assert (deposit.threshold, len(deposit.shares)) == (2, 3)
    shares = [open_share(deposit, holder) for holder in HOLDERS[1:3]]
    concealed = concealed_of(found.require().verified.predicate)
    assert combine_shares(deposit, shares, concealed, ShamirSharing()) == lease.disclosures
    with pytest.raises(NotAuthorised):
        open_share(deposit, STRANGER)


def test_a_charter_without_deposit_keys_asks_for_no_deposit(tmp_path: Path) -> None:
    """Nothing is deposited, and nothing is owed."""
    with TestDesk(tmp_path) as desk:
        lease = granted(desk)
        assert "disclosure-deposited" not in kinds(desk)
        assert desk.deposits.deposits_missing() == ()
        with pytest.raises(StateConflict, match="nothing is deposited"):
            read(desk, lease.admitted.digest).require_deposit()


def test_every_concealing_statement_has_one_deposit(desk: TestDesk) -> None:
    """A lease and its end; asking again for either adds none."""
    closed(desk)
    desk.deposits.complete()
    assert kinds(desk).count("disclosure-deposited") == 2
    stated = [
        r.verified.predicate.statement
        for r in desk.desk.recorded()
        if isinstance(r.verified.predicate, DisclosureDeposited)
    ]
    concealing = [
        r.verified.digest for r in desk.desk.recorded() if concealed_of(r.verified.predicate)
    ]
    assert stated == concealing


def test_an_outsider_does_not_bring_a_deposit_or_an_erasure(desk: TestDesk) -> None:
    """Signed with the power and all: the control plane makes these itself."""
    digest = granted(desk).admitted.digest
    fact = DisclosureErased(effective=f.NOW, statement=digest, basis=BASIS)
    with pytest.raises(InvalidInput, match="made by the control plane"):
        desk.desk.admit(f.signed(fact, f.OPERATOR).raw)


def test_what_does_not_fit_a_deposit_is_not_stated(desk: TestDesk) -> None:
    """Before anything is written: neither the statement nor its disclosures are there."""
    size = len(kinds(desk))
    granted_fact = f.lease_granted()
    with pytest.raises(InvalidInput, match="do not fit"):
        desk.desk.state_fact(granted_fact, disclosures=("x" * 21_000,))
    assert len(kinds(desk)) == size
    assert desk.private.load_disclosures() == {}


def test_an_erased_amount_is_not_measured_and_never_zero(desk: TestDesk) -> None:
    """The licence's books say that an amount is unknown, before and after a restart alike, and grant no more."""
    closing = closed(desk)
    (before,) = desk.desk.state.licences.licences.values()
    assert (before.undisclosed, before.book.leased) == (0, 0)
    desk.deposits.erase(closing.digest, BASIS)
    (state,) = desk.desk.state.licences.licences.values()
    (lease,) = state.leases
    assert (state.undisclosed, lease.consumed_flop, lease.ended) == (1, None, "final-receipt")
    assert desk.desk.disclosures_of(closing.digest) == ()
    licence = Admitted(index=0, leaf=state.leaf, digest=state.digest, fresh=False)
    with pytest.raises(LeaseRefused, match="undisclosed"):
        desk.leases.grant(desk.request(licence, number=2, nonce="cd" * 16))
    live = desk.desk.state
    desk.private.close()
    desk.store.close()
    with TestDesk(desk.folder, holders=3) as again:
        assert again.desk.state.licences == live.licences


def test_later_leases_that_no_longer_fit_the_books_stay_readable(tmp_path: Path) -> None:
    """What a lease gave back is erased: the next lease would overdraw the rest, and the log still folds."""
    with TestDesk(tmp_path, holders=3) as desk:
        budget = 62 * 10**9 + 5 * 10**9
        licence = desk.licensed(budget_flop=budget)
        first = desk.leases.grant(desk.request(licence))
        desk.leases.take_receipt(receipt(first, stage="final", reserved=0))
        second = desk.leases.grant(desk.request(licence, number=2, nonce="cd" * 16))
        assert second.admitted.fresh
        (closing,) = [r for r in desk.desk.recorded() if r.verified.kind == "lease-closed"]
        desk.deposits.erase(closing.verified.digest, BASIS)
    with TestDesk(tmp_path, holders=3) as again:
        (state,) = again.desk.state.licences.licences.values()
        assert state.undisclosed == 1
        assert state.book.budget == budget


def test_an_open_lease_keeps_its_allowance(desk: TestDesk) -> None:
    """What is enforced now cannot be forgotten now; nothing was stated."""
    lease = granted(desk)
    with pytest.raises(StateConflict, match="is open"):
        desk.deposits.erase(lease.admitted.digest, BASIS)
    assert "disclosure-erased" not in kinds(desk)
    assert desk.desk.disclosures_of(lease.admitted.digest) == lease.disclosures


@pytest.mark.parametrize("which", ["unknown", "nothing concealed"])
def test_what_conceals_nothing_is_not_erased(desk: TestDesk, which: str) -> None:
    """A digest that the log does not hold, or a statement that is public anyway."""
    digest = desk.licensed().digest if which == "nothing concealed" else "0" * 64
    with pytest.raises(StateConflict, match="no statement"):
        desk.deposits.erase(digest, BASIS)


def test_an_erasure_is_stated_once(desk: TestDesk) -> None:
    """Asked for again it answers with the first, whatever basis comes with it."""
    closing = closed(desk)
    first = desk.deposits.erase(closing.digest, BASIS)
    again = desk.deposits.erase(closing.digest, "another basis")
    assert (first.fresh, again.fresh) == (True, False)
    assert (first.index, first.leaf) == (again.index, again.leaf)
    assert kinds(desk).count("disclosure-erased") == 1


def test_no_byte_of_what_was_erased_is_left_in_the_home(desk: TestDesk) -> None:
    """Neither salt nor disclosure, in database or write-ahead log; other disclosures are still there."""
    closing = closed(desk)
    (text,) = desk.desk.disclosures_of(closing.digest)
    others = [
        t for d, ts in desk.private.load_disclosures().items() if d != closing.digest for t in ts
    ]
    assert text.encode() in _private_bytes(desk)
    desk.deposits.erase(closing.digest, BASIS)
    left = _private_bytes(desk)
    assert not [i for i in range(len(text) - 16) if text[i : i + 16].encode() in left]
    assert others
    assert all(
        other in {t for ts in desk.private.load_disclosures().values() for t in ts}
        for other in others
    )


def test_whoever_opens_deposits_is_told_of_the_erasure(desk: TestDesk) -> None:
    """The ciphertext stays in the log for ever; sound software refuses to open it, and says on which basis."""
    closing = closed(desk)
    desk.deposits.erase(closing.digest, BASIS)
    found = read(desk, closing.digest)
    assert found.erased == BASIS
    with pytest.raises(StateConflict, match="section 17"):
        found.require_deposit()


def test_a_bundle_carries_nothing_that_was_erased(desk: TestDesk, tmp_path: Path) -> None:
    """The entry is there without its disclosure, and an auditor calls the books unverifiable, not wrong."""
    closing = closed(desk)
    (text,) = desk.desk.disclosures_of(closing.digest)
    desk.deposits.erase(closing.digest, BASIS)
    desk.clock.move(1)
    keep_registers(desk.desk)
    desk.desk.mark_time()
    pack = load_pack().reference
    files = collect_bundle(
        cosigned=desk.cosigned(),
        tiles=desk.tiles,
        recorded=desk.desk.recorded(),
        private=desk.private,
        packs={f"{pack.name}-{pack.version}": pack_bytes()},
    )
    assert text.encode() not in b"".join(files.values())
    folder = tmp_path / "bundle"
    write_bundle(folder, files, origin=f.ORIGIN, signer=f.LOG, now=desk.clock.now())
    report = audit_bundle(open_evidence(folder), Trust(policy=desk.root, known=()))
    budgets = next(check for check in report.checks if check.name == "budgets")
    assert budgets.verdict == "unverifiable", budgets.detail
    assert f"erased ({BASIS}): not measured" in budgets.detail
    assert [check.detail for check in report.checks if check.verdict == "fails"] == []


def test_a_bundle_leaves_out_what_is_stated_erased_and_still_lies_there(desk: TestDesk) -> None:
    """A bundle written between the statement and the destruction discloses nothing either."""
    closing = closed(desk)
    (text,) = desk.desk.disclosures_of(closing.digest)
    fact = DisclosureErased(effective=f.NOW, statement=closing.digest, basis=BASIS)
    desk.desk.state_fact(fact)
    files = collect_bundle(
        cosigned=desk.cosigned(),
        tiles=desk.tiles,
        recorded=desk.desk.recorded(),
        private=desk.private,
        packs={},
    )
    assert text in desk.private.load_disclosures()[closing.digest]
    assert text.encode() not in files["disclosures.json"]


def test_a_deposit_is_as_long_for_every_amount(desk: TestDesk) -> None:
    """An allowance of eleven digits and a consumption of one: nobody tells them apart by length."""
    closed(desk)
    sizes = {
        len(r.verified.predicate.content)
        for r in desk.desk.recorded()
        if isinstance(r.verified.predicate, DisclosureDeposited)
    }
    assert len(sizes) == 1


def test_half_of_a_statements_disclosures_are_not_deposited(desk: TestDesk) -> None:
    """What was lost cannot be deposited any more; the rest goes on, and the gap stays to be seen."""
    lease = granted(desk)
    book = desk.deposits.book
    assert not book.owed
    assert open_fields(lease.disclosures, concealed_of(_fact(desk, lease))).unopened == 0
    desk.desk._disclosures[lease.admitted.digest] = ()
    desk.deposits._book = type(book)(
        holders=book.holders,
        owed=book.owed.plus(lease.admitted.digest, concealed_of(_fact(desk, lease))),
    )
    assert desk.deposits.deposits_missing() == ()
    desk.deposits.complete()
    assert kinds(desk).count("disclosure-deposited") == 1


def test_a_later_charter_without_holders_does_not_stop_the_desk(desk: TestDesk) -> None:
    """What is still owed stays owed, and everything else goes on."""
    lease = granted(desk)
    owed = desk.deposits.book.owed.plus(lease.admitted.digest, concealed_of(_fact(desk, lease)))
    desk.deposits._book = type(desk.deposits.book)(owed=owed)
    desk.deposits.complete()
    assert kinds(desk).count("disclosure-deposited") == 1
    assert list(desk.deposits.book.owed) == [lease.admitted.digest]


def _fact(desk: TestDesk, lease: GrantedLease) -> Predicate:
    recorded = desk.desk.find(lease.admitted.digest)
    assert recorded is not None
    return recorded.verified.predicate


def _private_bytes(desk: TestDesk) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(desk.folder.glob("private.sqlite*")))
