"""Who gets which place: repetitions, conflicts and new entries told apart."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.ledger import leaf_hash
from sekisho.ledger.places import (
    NOTHING_FOUND,
    Appended,
    Conflicted,
    check_submission,
    decide_places,
    record_mark,
)
from sekisho.model.errors import InvalidInput
from sekisho.ports.log_store import Found, Recorded, Submission
from tests.ledger.logs import submission
from tests.ledger.memory_store import MemoryLogStore

Row = tuple[int, tuple[int, ...]]
"""A row of the model: its payload, and its unique keys, by number."""

rows = st.lists(
    st.tuples(st.integers(0, 9), st.lists(st.integers(0, 6), max_size=3, unique=True).map(tuple)),
    max_size=14,
)


class Model:
    """The rule in its simplest form, a row at a time: a known payload repeats, a held key refuses, the rest is new."""

    def __init__(self) -> None:
        self.log: list[Row] = []

    def take(self, row: Row) -> tuple[str, int]:
        payload, keys = row
        for index, (held, _) in enumerate(self.log):
            if held == payload:
                return "repeated", index
        for key in keys:
            for index, (_, held_keys) in enumerate(self.log):
                if key in held_keys:
                    return f"refused for key {key}", index
        self.log.append(row)
        return "new", len(self.log) - 1


def row_of(row: Row) -> Submission:
    """The submission that a row of the model stands for."""
    payload, keys = row
    return submission(f"payload {payload}", *(f"key {key}" for key in keys))


def told(outcome: Appended | Conflicted) -> tuple[str, int]:
    """An outcome in the model's words."""
    if isinstance(outcome, Conflicted):
        return f"refused for {outcome.unique}", outcome.index
    return ("new" if outcome.fresh else "repeated"), outcome.index


@given(groups=st.lists(rows, max_size=4))
def test_places_are_those_of_the_model(groups: list[list[Row]]) -> None:
    """Whatever comes in whatever groups, each row's outcome and the log are as if every row had come alone."""
    model, store = Model(), MemoryLogStore()
    for group in groups:
        submitted = [row_of(row) for row in group]
        first = store.load_size()
        entries, outcomes = decide_places(submitted, store.find_recorded(submitted), first)
        assert [told(outcome) for outcome in outcomes] == [model.take(row) for row in group]
        assert [entry.index for entry in entries] == list(range(first, first + len(entries)))
        store.sequence(first, entries)
    recorded = store.load_entries(0, store.load_size())
    assert [entry.envelope for entry in recorded] == [row_of(row).envelope for row in model.log]


def test_a_conflict_refuses_its_row_alone() -> None:
    """Rows before and after the one that wants a held key get their places without a gap."""
    found = Found(payloads={}, unique={"serial 1": (3, bytes(32))})
    group = [submission("a"), submission("b", "serial 1"), submission("c")]
    entries, outcomes = decide_places(group, found, 9)
    assert [told(outcome) for outcome in outcomes] == [
        ("new", 9),
        ("refused for serial 1", 3),
        ("new", 10),
    ]
    assert [entry.envelope for entry in entries] == [group[0].envelope, group[2].envelope]


def test_a_refused_row_takes_none_of_its_other_keys() -> None:
    """A row that is refused for one key leaves its other keys free for the next."""
    found = Found(payloads={}, unique={"held": (0, bytes(32))})
    group = [submission("a", "free", "held"), submission("b", "free")]
    _, outcomes = decide_places(group, found, 1)
    assert [told(outcome) for outcome in outcomes] == [("refused for held", 0), ("new", 1)]


def test_a_repetition_is_never_a_conflict() -> None:
    """A statement that stands in the log holds its own keys: asked for again it is found, not refused."""
    again = submission("a", "serial 1")
    place = (4, b"h" * 32)
    found = Found(payloads={again.payload_sha256: place}, unique={"serial 1": place})
    assert decide_places([again], found, 9) == (
        [],
        [Appended(index=4, leaf_hash=b"h" * 32, fresh=False)],
    )


def test_a_new_entry_is_recorded_with_all_that_came() -> None:
    """The record holds the envelope's leaf hash, its payload digest and its keys."""
    row = submission("a", "serial 1", "serial 2")
    entries, _ = decide_places([row], NOTHING_FOUND, 7)
    assert entries == [
        Recorded(
            index=7,
            leaf_hash=leaf_hash(row.envelope),
            envelope=row.envelope,
            payload_sha256=row.payload_sha256,
            unique=("serial 1", "serial 2"),
        )
    ]


def test_a_mark_has_a_place_and_no_payload_digest() -> None:
    """Two equal marks are two entries."""
    mark = record_mark(b"mark", 3)
    assert (mark.index, mark.leaf_hash, mark.payload_sha256) == (3, leaf_hash(b"mark"), None)


@pytest.mark.parametrize("length", [0, 65_536])
def test_a_mark_that_no_bundle_can_carry_is_refused(length: int) -> None:
    """Marks are entries, and as long as entries may be."""
    with pytest.raises(InvalidInput, match="time mark"):
        record_mark(b"x" * length, 0)


def wrong(**changes: object) -> Submission:
    """A good submission but for one field."""
    good: dict[str, object] = {"envelope": b"x", "payload_sha256": hashlib.sha256(b"x").digest()}
    return Submission(**{**good, **changes})  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (wrong(envelope=b""), "empty entry"),
        (wrong(envelope=b"x" * 65_536), "65536 bytes"),
        (wrong(envelope=b"x" * (64 << 20)), "67108864 bytes"),
        (wrong(payload_sha256=bytes(31)), "32 bytes"),
        (wrong(unique=("",)), "1 to 512"),
        (wrong(unique=("good", "x" * 513)), "1 to 512"),
        (wrong(unique=("a\0b",)), "NUL"),
        (wrong(unique=("a\ud800b",)), "surrogate"),
        (wrong(unique=("twice", "twice")), "twice"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_submission_that_can_be_no_entry_is_refused(bad: Submission, why: str) -> None:
    """What no bundle or no database could hold is refused by name and place, before it shares a transaction."""
    with pytest.raises(InvalidInput, match=why) as caught:
        check_submission(bad, "submission 3")
    assert caught.value.path == "submission 3"


@pytest.mark.parametrize(
    "good",
    [
        wrong(envelope=b"x" * 65_535),
        wrong(unique=("x" * 512, "部品 12-3 \U0001f512", "two  spaces")),
    ],
    ids=["longest entry", "longest key"],
)
def test_a_submission_at_the_limit_is_taken(good: Submission) -> None:
    """The limits themselves, and any text that a database can hold, are good."""
    check_submission(good, "submission 0")
