"""What a host makes of lost keys, withdrawals, recoveries and a log whose key and witnesses change."""

from __future__ import annotations

import functools

import msgspec
import pytest

from sekisho.following import Follower
from sekisho.ledger import leaf_hash
from sekisho.model.instants import Instant
from sekisho.model.statements import (
    CharterAdopted,
    CharterWitness,
    KeyCompromised,
    OrderConfirmed,
    OrderReference,
    Reference,
    SignatureWithdrawn,
    TimeMarked,
)
from sekisho.orders import HostFacts
from sekisho.signing import Envelope, recovered_terms
from sekisho.signing.notes import NoteSigner
from tests.factory import AUTHORITY, LOG, NOW, ORIGIN, RECOVERY, VERIFIER, signed, signer
from tests.fake_control import QUORUM, FakeControl, FakeLog
from tests.signing.logs import DAY_S, NEW_KEY, announced

FACTS = HostFacts(host="host-1", site="site-1")
GRACE_S = 3 * DAY_S


class Told:
    """A control plane and one host that follows it."""

    def __init__(self) -> None:
        self.control = FakeControl()
        self.host = Follower("host-1", self.control.root)
        self.cursor = 0
        self.codes: list[str] = []

    def catch_up(self) -> None:
        feed = self.control.fetch_feed("host-1", self.cursor, 0)
        _, findings = self.host.take(feed, self.control.clock.elapsed)
        self.codes += [finding.code for finding in findings]
        self.cursor = feed.next

    def pass_time(self, seconds: float) -> None:
        self.control.clock.advance(seconds)
        self.mark()

    def mark(self) -> None:
        """A batch opens: the log quotes its newest witnessed tree."""
        fact = TimeMarked(
            effective=self.control.now(), checkpoint=self.control.log.note(self.control.now())
        )
        self.control.admit(signed(fact, LOG))

    def order(self, *, lasts_s: float = 365 * DAY_S, **fields: object) -> Envelope:
        self.mark()
        expires = self.control.now().plus(lasts_s)
        order = self.control.order(expires=expires, **fields)  # type: ignore[arg-type]  # a test's own fields
        return self.control.issue(order, heads=False)

    def report(self, since: Instant) -> None:
        fact = KeyCompromised(
            effective=self.control.now(),
            key=AUTHORITY[0].public.key_id,
            since=since,
            reason="stolen",
        )
        self.control.admit(signed(fact, AUTHORITY[3], VERIFIER[1]))
        self.mark()

    def effect(self) -> str | None:
        self.catch_up()
        return self.host.demand(self.control.now(), FACTS)[0].effect


@pytest.fixture
def told() -> Told:
    return Told()


def reference_of(control: FakeControl, register: str) -> OrderReference:
    head = control.book.heads[register]
    return OrderReference(register=register, number=head.number, digest=head.digest)


def test_a_host_freezes_under_a_pause_whose_quorum_was_lost(told: Told) -> None:
    """It neither ends the work nor lets it go on."""
    told.order(effect="checkpoint-then-stop")
    assert told.effect() == "checkpoint-then-stop"
    told.report(NOW)
    assert told.effect() == "freeze"
    told.pass_time(400 * DAY_S)
    assert told.effect() == "freeze"
    assert told.codes == []


def test_a_host_counts_a_doubted_cap_for_its_grace_only(told: Told) -> None:
    """Seventy-two hours after the report was witnessed it is as if expired; a confirmed one is not."""
    for is_confirmed in (False, True):
        told = Told()
        told.order(kind="cap", effect="cap", cap_percent=50, on_expiry="lapse")
        told.report(NOW)
        told.pass_time(GRACE_S - 1)
        assert told.effect() == "cap"
        if is_confirmed:
            fact = OrderConfirmed(
                effective=told.control.now(),
                order=reference_of(told.control, "cap/JP"),
                kind="cap",
            )
            told.control.admit(signed(fact, *AUTHORITY[1:4], VERIFIER[0]))
        told.pass_time(1)
        assert told.effect() == ("cap" if is_confirmed else None)


def test_a_host_that_lacks_the_marks_lets_no_doubted_order_lapse() -> None:
    """Whoever keeps the time marks back cannot make an old order look like one made after the loss."""
    told = Told()
    told.control.feed = [row for row in told.control.feed if row[1] != "time-marked"]
    told.control.issue(
        told.control.order(kind="cap", effect="cap", cap_percent=50, expires=NOW.plus(400 * DAY_S)),
        heads=False,
    )
    told.report(NOW.plus(-1))
    told.control.clock.advance(GRACE_S + DAY_S)
    told.control.feed = [row for row in told.control.feed if row[1] != "time-marked"]
    assert told.effect() == "cap"


def test_a_host_halts_again_when_a_stolen_resume_ends(told: Told) -> None:
    """The pause that it lifted stands again after the grace, and freezes."""
    told.order()
    told.pass_time(3_600)
    told.order(kind="resume", effect="lift", lifts=[reference_of(told.control, "pause/JP")])
    assert told.effect() is None
    told.report(NOW.plus(1_800))
    told.pass_time(GRACE_S)
    assert told.effect() == "freeze"


def test_a_host_takes_no_order_by_a_reported_key_or_a_withdrawn_signature(told: Told) -> None:
    """On sight the newest that it knows counts; with a proof, the place in the log does."""
    order = told.control.order()
    withdrawn = SignatureWithdrawn(
        effective=NOW, payload=order.digest, key=AUTHORITY[1].public.key_id, reason="a slip"
    )
    told.control.admit(signed(withdrawn, AUTHORITY[1]))
    told.control.show(order)
    assert told.effect() is None
    assert told.codes == ["not-authorised"]
    told.report(NOW)
    told.control.show(told.control.order(grace_s=1))
    assert told.effect() is None
    assert told.codes == ["not-authorised"] * 2


def test_a_host_takes_an_older_order_that_it_hears_of_after_the_report(told: Told) -> None:
    """An order from before the report is in the log by a key that still counted."""
    told.order()
    told.pass_time(DAY_S)
    told.report(told.control.now())
    rows = told.control.feed
    late = next(row for row in rows if row[1] == "order-issued")
    told.control.feed = [row for row in rows if row is not late]
    assert told.effect() is None
    told.control.feed.append(late)
    assert told.effect() == "freeze"
    assert told.codes == []


def test_a_host_follows_a_recovered_charter(told: Told) -> None:
    """After the notice, seen in witnessed trees; a day too early it does not."""
    charter = told.control.regime.in_force()
    envelope = signed(announced(charter), *RECOVERY[:2])
    told.control.admit(envelope)
    told.pass_time(60)
    told.catch_up()
    reference = Reference(log=ORIGIN, leaf=leaf_hash(envelope.raw).hex())
    fact = announced(charter)
    terms = recovered_terms(charter, fact, reference, now=NOW)
    told.pass_time(14 * DAY_S)
    told.control.admit(signed(terms, *RECOVERY[:2], *QUORUM))
    told.catch_up()
    assert NEW_KEY.public.key_id in told.host.regime.in_force().keys
    assert told.codes == []


def test_a_new_host_follows_an_old_recovery_by_the_marks(told: Told) -> None:
    """Told all at once, it reads off the marks that the notice had run out."""
    charter = told.control.regime.in_force()
    envelope = signed(announced(charter), *RECOVERY[:2])
    told.control.admit(envelope)
    told.mark()
    told.pass_time(14 * DAY_S)
    reference = Reference(log=ORIGIN, leaf=leaf_hash(envelope.raw).hex())
    terms = recovered_terms(charter, announced(charter), reference, now=NOW)
    told.control.admit(signed(terms, *RECOVERY[:2], *QUORUM))
    told.catch_up()
    assert told.host.regime.in_force().terms.version == 2
    kept_back = Told()
    kept_back.control = told.control
    kept_back.host = Follower("host-1", told.control.root)
    told.control.feed = [row for row in told.control.feed if row[1] != "time-marked"]
    kept_back.catch_up()
    assert kept_back.codes == ["recovery-break"]


def rotated(told: Told) -> tuple[CharterAdopted, NoteSigner, tuple[NoteSigner, ...]]:
    """The next charter, with another log key and two other witnesses, and their signers."""
    log_note = NoteSigner(ORIGIN, signer("new log").private)
    witnesses = tuple(
        NoteSigner.cosigner(f"n{n}.example", signer(f"new witness {n}").private) for n in (1, 2)
    )
    charter = told.control.regime.in_force()
    log = msgspec.structs.replace(
        charter.terms.log,
        vkey=log_note.verifier.to_text(),
        witnesses=tuple(
            CharterWitness(name=f"n{n}", vkey=w.verifier.to_text(), owner=f"New Society {n}")
            for n, w in enumerate(witnesses, 1)
        ),
    )
    terms = msgspec.structs.replace(
        charter.terms, version=2, previous=charter.digest, log=log, recovers=None
    )
    return terms, log_note, witnesses


@pytest.mark.parametrize("is_new", [False, True], ids=["known host", "new host"])
def test_a_host_follows_the_logs_key_and_witnesses_through_a_succession(
    monkeypatch: pytest.MonkeyPatch, *, is_new: bool
) -> None:
    """Proofs by the new key and the new witnesses hold, for a host whose trust root knows neither as well."""
    told = Told()
    if not is_new:
        told.catch_up()
    terms, log_note, witnesses = rotated(told)
    told.control.admit(signed(terms, *QUORUM))
    with monkeypatch.context() as patch:
        patch.setattr("tests.fake_control.LOG_NOTE", log_note)
        for name in ("note", "prove"):
            method = getattr(FakeLog, name)
            patch.setattr(FakeLog, name, functools.partialmethod(method, cosigners=witnesses))
        told.catch_up()
        assert told.codes == []
        assert told.host.regime.in_force().terms.version == 2
    told.catch_up()
    assert told.codes != []


def test_a_host_counts_no_cosignature_of_an_algorithm_past_its_end(told: Told) -> None:
    """Nothing is proven by it any more, and so nothing is released; a pause still acts on sight."""
    told.order()
    assert told.effect() == "freeze"
    told.control.clock.advance(10**8)
    lifts = [reference_of(told.control, "pause/JP")]
    told.control.issue(told.control.order(kind="resume", effect="lift", lifts=lifts), heads=False)
    assert told.effect() == "freeze"
    assert set(told.codes) == {"too-few-witnesses"}
