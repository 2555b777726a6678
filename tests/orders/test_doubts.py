from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sekisho.model.instants import Instant
from sekisho.orders import (
    HostFacts,
    KnownOrder,
    OrderBook,
    acting_effect,
    decide_demand,
    doubted_orders,
)
from sekisho.signing import Recorded
from tests.factory import AUTHORITY, NOW, VERIFIER, charter, order_issued
from tests.signing.logs import RegimeLog, confirm, issue, reference_of

FACTS = HostFacts(host="host-1", site="site-1")
REST = (*AUTHORITY[1:4], VERIFIER[0])


def known(name: str, **fields: object) -> KnownOrder:
    """An order by a digest that a test can name; in force for an hour."""
    order = order_issued(charter_digest="c" * 64, **fields)  # type: ignore[arg-type]  # a test's own fields
    return KnownOrder(order=order, digest=name * 64, witnessed=True)


PAUSE = known("1", effect="checkpoint-then-stop", grace_s=9)
CAP = known("2", kind="cap", effect="cap", cap_percent=50)
RESUME = known("3", kind="resume", effect="lift", lifts=[PAUSE.reference])
BOOK = OrderBook.open(charter().registers).after(PAUSE).after(CAP)


def names(book: OrderBook, at: Instant, *, expiry_at: Instant | None = None) -> list[str]:
    return [k.digest[0] for k in book.in_force(at, expiry_at=expiry_at)]


def test_an_order_in_doubt_ends_as_its_own_expiry_clause_says() -> None:
    """The cap lapses when its grace ends, by the clock that ends things; the pause waits for a resume."""
    end = NOW.plus(60)
    book = BOOK.doubting({PAUSE.digest: end, CAP.digest: end})
    assert names(book, NOW.plus(59)) == ["2", "1"]
    assert names(book, end) == ["1"]
    assert names(book, end, expiry_at=NOW.plus(59)) == ["2", "1"]


def test_an_order_in_doubt_without_an_end_stays() -> None:
    """Where nobody knows when its grace began, time takes nothing away; its own expiry still does."""
    book = BOOK.doubting({CAP.digest: None})
    assert names(book, NOW.plus(3_599)) == ["2", "1"]
    assert names(book, NOW.plus(3_600)) == ["1"]


def test_an_order_in_doubt_freezes_where_it_would_stop() -> None:
    """Its grace stays its own; another order that is in no doubt still stops."""
    (doubted,) = [k for k in BOOK.doubting({PAUSE.digest: None}).in_force(NOW) if k.doubtful]
    assert acting_effect(doubted) == "freeze"
    assert acting_effect(PAUSE) == "checkpoint-then-stop"
    demand = decide_demand([doubted], FACTS)
    assert (demand.effect, demand.grace_s) == ("freeze", 9)
    assert decide_demand([doubted, PAUSE], FACTS).effect == "checkpoint-then-stop"


def test_a_resume_in_doubt_lifts_for_its_grace_by_the_clock_that_begins() -> None:
    """What it had lifted stands again, and is itself in doubt: it hangs on a report."""
    end = NOW.plus(60)
    book = BOOK.after(RESUME).doubting({RESUME.digest: end})
    assert names(book, NOW.plus(59)) == ["2"]
    restored = {k.digest: k for k in book.in_force(end, expiry_at=NOW)}
    assert restored[PAUSE.digest].doubtful
    assert not restored[CAP.digest].doubtful


def test_a_second_resume_that_stands_keeps_what_a_doubted_one_lifted() -> None:
    """Two resumes of one order: one of them is enough."""
    second = known(
        "4", kind="resume", effect="lift", number=2, previous="3" * 64, lifts=[PAUSE.reference]
    )
    book = BOOK.after(RESUME).after(second).doubting({RESUME.digest: NOW})
    assert names(book, NOW.plus(9)) == ["2"]


def test_heads_orders_and_claims_survive_a_doubt() -> None:
    """Doubting adds nothing to the registers and takes nothing out; later orders keep the doubt."""
    book = BOOK.doubting({PAUSE.digest: NOW}).after(RESUME)
    assert book.doubted == {PAUSE.digest: NOW}
    assert (book.orders, book.heads) == (BOOK.after(RESUME).orders, BOOK.after(RESUME).heads)
    assert book.heard(book.heads.values()).doubted == {PAUSE.digest: NOW}


def entries() -> tuple[RegimeLog, list[Recorded]]:
    """A log with a pause, a resume of it, a report of a key of both, and a confirmation of the resume."""
    log = RegimeLog()
    pause = issue(log)
    log.pass_time(60)
    resume = issue(log, kind="resume", effect="lift", lifts=(reference_of(pause),))
    log.pass_time(60)
    report = log.report(AUTHORITY[0], since=NOW)
    confirmation = confirm(log, resume, *REST, kind="resume")
    return log, [pause, resume, report, confirmation]


LOG, ENTRIES = entries()


@given(st.permutations(ENTRIES))
def test_in_whatever_order_an_agent_hears_of_them_the_doubts_are_the_logs(
    heard: list[Recorded],
) -> None:
    """Orders, reports and confirmations fold to one regime, given the marks."""
    regime = RegimeLog().regime
    for entry in LOG.entries:
        if entry.verified.kind == "time-marked":
            regime = regime.after(entry)
    for entry in heard:
        regime = regime.after(entry)
    assert set(regime.doubts) == set(LOG.regime.doubts)
    assert doubted_orders(regime) == doubted_orders(LOG.regime)
    assert [d.digest for d in regime.doubts] == [ENTRIES[0].verified.digest]
