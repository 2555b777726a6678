"""The ledger of a licence line by line: derived apart from the books, and equal to them."""

from __future__ import annotations

import msgspec
import pytest

from sekisho.licensing import LicenceLedger
from sekisho.model.statements import BudgetShare, Predicate, Reference
from sekisho.signing import Recorded
from sekisho.web.postings import post_ledger
from tests.factory import ORIGIN, REFERENCE, disclosed, lease_closed, lease_granted, licence_issued
from tests.licensing.ledgers import recorded

ALLOWANCE = 62 * 10**9
SPLIT = (
    BudgetShare(share="east", budget_flop=str(100 * 10**9)),
    BudgetShare(share="west", budget_flop=str(900 * 10**9)),
)


class Story:
    """A ledger and the entries that made it."""

    def __init__(self, shares: tuple[BudgetShare, ...] = ()) -> None:
        self.entries: list[Recorded] = []
        self.ledger = LicenceLedger()
        licence = licence_issued(REFERENCE, budget_flop=str(1000 * 10**9))
        self.licence = self.say(msgspec.structs.replace(licence, shares=shares))

    def say(self, fact: Predicate, *texts: str) -> Reference:
        entry = recorded(fact, len(self.entries))
        self.ledger = self.ledger.after(entry, {entry.leaf: texts})
        self.entries.append(entry)
        return Reference(log=ORIGIN, leaf=entry.leaf)

    def grant(self, number: int = 1, share: str | None = None) -> Reference:
        fact = lease_granted(number, licence=self.licence, share=share)
        return self.say(fact, disclosed("allowance_flop", str(ALLOWANCE)))

    def close(self, lease: Reference, flop: int, how: str = "final-receipt", n: int = 1) -> None:
        fact = lease_closed(lease, n, licence=self.licence, consumed_flop=str(flop))
        ended = msgspec.structs.replace(fact, how=how)
        self.say(ended, disclosed("consumed_flop", str(flop)))

    def lines(self) -> list[tuple[str, int | None]]:
        """What moved, once ledger and books are found to agree."""
        state = self.ledger.find(self.licence.leaf)
        postings = post_ledger(state, self.entries)
        assert postings[-1].after == state.book
        return [(posting.what, posting.flop) for posting in postings]


@pytest.mark.parametrize("share", [None, "east"])
def test_what_was_not_used_returns(share: str | None) -> None:
    """With a budget in one piece and with a split one."""
    story = Story(SPLIT if share else ())
    story.close(story.grant(share=share), 10**9)
    assert story.lines()[1:] == [
        ("granted", ALLOWANCE),
        ("consumed", 10**9),
        ("returned", ALLOWANCE - 10**9),
    ]


def test_a_fork_takes_what_was_forfeited_first_and_then_what_is_available() -> None:
    """Both branches count: the second entry about one lease adds what the first did not say."""
    story = Story()
    lease = story.grant()
    story.close(lease, 40 * 10**9, "forfeited")
    story.close(lease, 80 * 10**9, "forked")
    assert story.lines()[2:] == [
        ("consumed", 40 * 10**9),
        ("forfeited", 22 * 10**9),
        ("forked", 22 * 10**9),
        ("forked", 18 * 10**9),
    ]


def test_a_late_receipt_takes_of_what_was_forfeited() -> None:
    """Nothing that was available is touched."""
    story = Story()
    lease = story.grant()
    story.close(lease, 10**9, "forfeited")
    story.close(lease, 3 * 10**9, "forfeited")
    assert story.lines()[-1] == ("late", 2 * 10**9)


def test_a_fork_beyond_a_share_is_overdrawn_and_shown() -> None:
    """The other share makes up for nothing."""
    story = Story(SPLIT)
    story.close(story.grant(share="east"), 150 * 10**9, "forked")
    story.lines()
    book = story.ledger.find(story.licence.leaf).book
    assert (book.overdrawn, book.available) == (50 * 10**9, 900 * 10**9)
