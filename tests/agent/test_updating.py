"""Whether a host takes a release: the pure decision, one row of its table after the other."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.agent.updating import Judgement, Known, decide_update
from sekisho.ledger import leaf_hash
from sekisho.model.statements import AgentReleased
from sekisho.ports.releases import Offer, Offered, Placed, Shelf
from sekisho.signing import Recorded
from sekisho.signing.releases import ReleaseBook
from tests.factory import NOW, regime, signed
from tests.released import QUORUM

LATER = NOW.plus(3_600)


def fact(sequence: int, letter: str = "a", reason: str | None = None) -> AgentReleased:
    return AgentReleased(
        effective=NOW,
        version=f"1.{sequence}",
        sha256=letter * 64,
        sequence=sequence,
        bytes=100,
        reason=reason,
    )


def digest_of(of: AgentReleased) -> str:
    return signed(of, *QUORUM).digest


def book(*facts: AgentReleased) -> ReleaseBook:
    found = ReleaseBook()
    for index, one in enumerate(facts, 10):
        raw = signed(one, *QUORUM).raw
        verified = regime().verify(raw)
        found = found.after(Recorded(index=index, leaf=leaf_hash(raw).hex(), verified=verified))
    return found


def offer(of: AgentReleased, **changes: object) -> Offer:
    made = Offer(
        path=f"agent-{of.sequence}.tar",
        version=of.version,
        sequence=of.sequence or 0,
        sha256=of.sha256,
        bytes=of.bytes or 0,
        statement=digest_of(of),
    )
    return msgspec.structs.replace(made, **changes)


def placed(of: AgentReleased) -> Placed:
    return Placed(
        sequence=of.sequence or 0,
        version=of.version,
        sha256=of.sha256,
        statement=digest_of(of),
    )


def judge(
    offers: tuple[Offer, ...],
    releases: ReleaseBook,
    shelf: Shelf | None = None,
    *,
    doubted: frozenset[str] = frozenset(),
    back: bool = False,
) -> Judgement:
    known = Known(book=releases, doubted=doubted, shelf=shelf or Shelf(), latest=NOW)
    return decide_update(Offered(offers=offers, expires=LATER), known, back=back)


ONE, TWO, AGAIN = fact(1), fact(2, "b"), fact(3, "a", "2 is broken")


@pytest.mark.parametrize(
    ("judgement", "code"),
    [
        (judge((offer(ONE),), book(ONE)), "newer"),
        (judge((offer(ONE), offer(TWO)), book(ONE, TWO)), "newer"),
        (judge((), book(ONE)), "nothing-offered"),
        (judge((offer(ONE),), book()), "unknown-statement"),
        (judge((offer(ONE),), book(ONE), doubted=frozenset({digest_of(ONE)})), "doubtful-statement"),
        (judge((offer(ONE, version="9"),), book(ONE)), "other-release"),
        (judge((offer(ONE, sha256="c" * 64),), book(ONE)), "other-release"),
        (judge((offer(ONE, bytes=99),), book(ONE)), "other-release"),
        (judge((offer(ONE, sequence=4),), book(ONE)), "other-release"),
        (judge((offer(ONE),), book(ONE, TWO)), "withheld-release"),
        (judge((offer(ONE), offer(ONE, sha256="c" * 64)), book(ONE)), "reused-sequence"),
        (judge((offer(ONE),), book(ONE), Shelf(placed=(placed(TWO),), current=2)), "downgrade"),
        (judge((offer(ONE),), book(ONE), Shelf(placed=(placed(ONE),), current=1)), "current"),
        (judge((offer(TWO),), book(ONE, TWO), Shelf(placed=(placed(ONE), placed(TWO)), current=1)), "unfinished"),
        (judge((offer(AGAIN),), book(ONE, TWO, AGAIN)), "undo-unasked"),
        (judge((offer(AGAIN),), book(ONE, TWO, AGAIN), back=True), "newer"),
        (judge((offer(TWO),), book(ONE, TWO), back=True), "no-undo"),
    ],
)  # fmt: skip
def test_each_row_of_the_table(judgement: Judgement, code: str) -> None:
    """The code, and that nothing but what holds is ever acted on."""
    assert judgement.code == code
    assert judgement.verdict == {
        "newer": "holds",
        "current": "holds",
        "unfinished": "holds",
        "nothing-offered": "unverifiable",
        "unknown-statement": "unverifiable",
        "doubtful-statement": "unverifiable",
        "withheld-release": "unverifiable",
    }.get(code, "fails")
    assert (judgement.act != "none") is (code in ("newer", "unfinished"))
    assert judgement.why


def test_a_word_that_ends_now_has_ended() -> None:
    """Freshness is asked of the latest that it can be, to the instant."""
    known = Known(book=book(ONE), doubted=frozenset(), shelf=Shelf(), latest=LATER)
    offered = Offered(offers=(offer(ONE),), expires=LATER)
    assert decide_update(offered, known).code == "frozen-repository"
    earlier = msgspec.structs.replace(known, latest=LATER.plus(-1))
    assert decide_update(offered, earlier).code == "newer"


@given(
    taken=st.lists(st.integers(1, 6), max_size=5, unique=True),
    offered=st.integers(1, 6),
    letters=st.lists(st.sampled_from("ab"), min_size=6, max_size=6),
    back=st.booleans(),
)
def test_no_host_ever_goes_down(
    taken: list[int], offered: int, letters: list[str], back: bool
) -> None:
    """Whatever log and repository say, what is installed has a higher number than all before it."""
    facts = [
        fact(n, letter, "again" if n > 1 else None) for n, letter in enumerate(letters[:offered], 1)
    ]
    shelf = Shelf(placed=tuple(placed(fact(n, "c")) for n in sorted(taken)), current=0)
    judgement = judge((offer(facts[-1]),), book(*facts), shelf, back=back)
    if judgement.act == "install":
        assert offered > shelf.highest


def test_what_the_log_has_against_one_more_release() -> None:
    """No number, a number that is not higher, and earlier bytes without a reason."""
    known = book(ONE, TWO)
    assert not known.problems(fact(3, "c"))
    assert not known.problems(AGAIN)
    assert "no sequence" in known.problems(msgspec.structs.replace(ONE, sequence=None))[0]
    assert "not above 2" in known.problems(fact(2, "c"))[0]
    assert "say why" in known.problems(fact(3, "a"))[0]
