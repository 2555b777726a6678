"""From submissions to entries with an index: order, uniqueness, marks, groups, and what a failure leaves."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from sekisho.ledger import LogReader, leaf_hash, verify_inclusion
from sekisho.ledger import sequencer as sequencer_module
from sekisho.ledger.line import Overloaded, Ticket
from sekisho.ledger.places import Appended, Conflicted, Outcome
from sekisho.ledger.sequencer import UniquenessConflict
from sekisho.model.errors import Corrupt, InvalidInput, SekishoError, StateConflict, Unavailable
from sekisho.ports.log_store import Submission
from tests.ledger.logs import (
    LOG,
    MemoryLog,
    is_mark,
    names_in,
    open_log,
    open_memory_log,
    submission,
)


@pytest.fixture
def log() -> MemoryLog:
    """A new log in memory, recovered."""
    return open_memory_log()


class Seconds:
    """The monotonic clock of the sequencer, moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> Seconds:
    """A clock that stands still until it is moved."""
    clock = Seconds()
    monkeypatch.setattr(sequencer_module, "time", clock)
    return clock


def places_of(outcomes: Sequence[Outcome]) -> list[int]:
    """The indexes of outcomes, all of them appended."""
    assert all(isinstance(outcome, Appended) for outcome in outcomes)
    return [outcome.index for outcome in outcomes]


# --- order and answers


def test_entries_stand_behind_a_time_mark_in_the_order_given(log: MemoryLog) -> None:
    """A batch is one mark and then its entries."""
    assert places_of(log.sequencer.append([submission("a"), submission("b")])) == [1, 2]
    assert log.sequencer.append_one(submission("c")).index == 3
    assert names_in(log.entries()) == ["mark", "a", "b", "c"]


def test_appended_names_the_leaf(log: MemoryLog) -> None:
    """The answer's leaf hash is the entry's, and proves into the head."""
    done = log.sequencer.append_one(submission("a"))
    head = log.sequencer.integrate()
    assert done.leaf_hash == leaf_hash(submission("a").envelope)
    proof = LogReader(log.tiles).inclusion_proof(done.index, head.size)
    verify_inclusion(done.leaf_hash, done.index, head.size, proof, head.root)


def test_the_same_payload_again_gives_the_first_index(log: MemoryLog) -> None:
    """A repeated statement is answered with its place, makes no entry and no mark, whatever its envelope."""
    first = log.sequencer.append_one(submission("a", "serial 1"))
    again = submission("a", "serial 1")
    other = Submission(envelope=b"signed twice", payload_sha256=again.payload_sha256)
    for repeated in (again, other):
        done = log.sequencer.append_one(repeated)
        assert done == Appended(index=first.index, leaf_hash=first.leaf_hash, fresh=False)
    assert log.sequencer.size == 2


def test_the_same_payload_twice_in_one_call_is_one_entry(log: MemoryLog) -> None:
    """Within one call too the second of two equal statements is the first one's repetition."""
    first, second = log.sequencer.append([submission("a"), submission("a")])
    assert isinstance(first, Appended)
    assert isinstance(second, Appended)
    assert (first.fresh, second.fresh, first.index) == (True, False, second.index)


def test_a_taken_unique_key_refuses_that_row_alone(log: MemoryLog) -> None:
    """A serial that another statement holds is a conflict for its row; the others stand."""
    log.sequencer.append_one(submission("a", "serial 1"))
    outcomes = log.sequencer.append(
        [submission("b", "serial 1"), submission("c", "serial 2"), submission("d", "serial 2")]
    )
    assert outcomes[0] == Conflicted(unique="serial 1", index=1)
    assert isinstance(outcomes[1], Appended)
    assert outcomes[2] == Conflicted(unique="serial 2", index=outcomes[1].index)
    with pytest.raises(UniquenessConflict, match="held by entry 1"):
        log.sequencer.append_one(submission("e", "serial 1"))


def test_a_known_statement_is_found_even_where_a_new_one_takes_its_key(log: MemoryLog) -> None:
    """A row of the same group that wants a key first does not turn a repetition into a conflict."""
    first = log.sequencer.append_one(submission("known"))
    renamed = Submission(
        envelope=b"known", payload_sha256=submission("known").payload_sha256, unique=("serial 1",)
    )
    outcomes = log.sequencer.append([submission("new", "serial 1"), renamed])
    assert places_of(outcomes) == [2, first.index]


def test_a_call_of_nothing_gives_nothing(log: MemoryLog) -> None:
    """No rows, no outcomes, no entries."""
    assert log.sequencer.append([]) == []
    assert log.sequencer.size == 0


@pytest.mark.parametrize(
    "bad",
    [
        Submission(envelope=b"", payload_sha256=bytes(32)),
        Submission(envelope=b"x" * 65_536, payload_sha256=bytes(32)),
        Submission(envelope=b"x", payload_sha256=bytes(31)),
        Submission(envelope=b"x", payload_sha256=bytes(32), unique=("a", "a")),
    ],
    ids=["empty", "too long", "short digest", "key twice"],
)
def test_a_bad_row_refuses_its_call_before_anything_is_stored(
    log: MemoryLog, bad: Submission
) -> None:
    """What can be no entry refuses the call, and nothing of it is kept."""
    with pytest.raises(InvalidInput) as caught:
        log.sequencer.append([submission("a"), bad])
    assert caught.value.path == "submission 1"
    assert log.sequencer.resync() == 0


def test_the_longest_entry_fits(log: MemoryLog) -> None:
    """65,535 bytes are an entry."""
    longest = Submission(envelope=b"x" * 65_535, payload_sha256=bytes(32))
    log.sequencer.append_one(longest)
    assert log.entries()[1] == longest.envelope


def test_a_head_is_signed_by_the_log(log: MemoryLog) -> None:
    """The signed head covers all that is sequenced and verifies under the log's key alone."""
    log.sequencer.append_one(submission("a"))
    note = log.sequencer.signed_head()
    assert note.text.splitlines()[1] == "2"
    assert LOG.verifier.verify(note.text, note.signatures[0]).timestamp is None


def test_entries_wait_in_the_database_until_they_are_integrated(log: MemoryLog) -> None:
    """An answer is given before tiles are written: the database is the durable queue."""
    log.sequencer.append_one(submission("a"))
    assert log.database.load_size() == 2
    assert log.database.load_head().size == 0
    assert log.files.files == {}
    assert log.sequencer.integrate() == log.database.load_head()
    assert log.database.load_head().size == 2


def test_a_log_on_disk_grows_over_many_groups_and_restarts(tmp_path: Path) -> None:
    """Groups of all sizes over restarts give one tree that the check derives from its entries."""
    expected: list[str] = []
    for start in range(6):
        with open_log(tmp_path) as log:
            expected.append("mark")
            for group in range(3):
                names = [f"{start} {group} {n}" for n in range(17 * group * start + 1)]
                log.sequencer.append([submission(name) for name in names])
                expected += names
            assert names_in(log.entries()) == expected


# --- marks


def marks_at(log: MemoryLog) -> list[int]:
    """Where the marks stand."""
    return [index for index, entry in enumerate(log.entries()) if is_mark(entry)]


def test_a_batch_opens_with_the_first_group_and_lasts(log: MemoryLog, seconds: Seconds) -> None:
    """Groups of one second share a mark; after it the next group opens another batch."""
    for number in range(3):
        log.sequencer.append_one(submission(str(number)))
        seconds.now += 0.4
    assert marks_at(log) == [0]
    log.sequencer.append_one(submission("later"))
    assert marks_at(log) == [0, 4]


def test_a_batch_opens_after_each_new_cosigned_checkpoint(log: MemoryLog, seconds: Seconds) -> None:
    """What was published is quoted by the next mark at once, so that the interval before it closes."""
    log.sequencer.append_one(submission("a"))
    publisher = log.publisher(log.witnesses())
    published = publisher.publish()
    log.sequencer.append([submission("b"), submission("c")])
    publisher.publish()
    log.sequencer.append_one(submission("d"))
    assert marks_at(log) == [0, 2, 5]
    quoted = json.loads(log.entries()[2])["previous"]
    assert quoted.encode() == published.note.to_bytes()
    assert seconds.now == 1000.0


def test_nothing_new_makes_no_mark(log: MemoryLog, seconds: Seconds) -> None:
    """Repetitions and refused rows do not grow the log, however much time passes."""
    log.sequencer.append_one(submission("a", "serial 1"))
    seconds.now += 3600
    log.sequencer.append([submission("a", "serial 1"), submission("b", "serial 1")])
    assert log.sequencer.size == 2


def test_a_mark_alone_closes_the_interval(log: MemoryLog, seconds: Seconds) -> None:
    """A batch may be nothing but its time mark, and the next group belongs to it."""
    log.sequencer.append_one(submission("a"))
    told: list[int] = []
    log.sequencer.on_sequenced(told.append)
    assert log.sequencer.mark_time().index == 2
    log.sequencer.append_one(submission("b"))
    assert told == [3, 4]
    assert names_in(log.entries()) == ["mark", "a", "mark", "b"]
    assert seconds.now == 1000.0


def test_a_mark_that_cannot_be_made_stores_nothing() -> None:
    """Where the time mark cannot be signed nothing is sequenced; the next append opens the batch."""
    failing = MemoryLog(mark=_no_key)
    failing.sequencer.recover()
    with pytest.raises(Unavailable, match="key"):
        failing.sequencer.append_one(submission("a"))
    assert failing.sequencer.size == 0
    again = failing.restarted()
    again.sequencer.recover()
    assert again.sequencer.append_one(submission("a")).index == 1


def _no_key(_: bytes | None) -> bytes:
    raise Unavailable("the log's key cannot be reached")


def test_a_mark_that_did_not_reach_the_log_is_made_again(log: MemoryLog, seconds: Seconds) -> None:
    """A group that failed has opened no batch."""
    with failing_store(log, applied=False), pytest.raises(Unavailable):
        log.sequencer.append_one(submission("a"))
    log.sequencer.append_one(submission("b"))
    assert names_in(log.entries()) == ["mark", "b"]
    assert seconds.now == 1000.0


# --- failures


class failing_store:  # noqa: N801  # reads as the verb that it is
    """The database fails at each sequencing, before or after it was applied."""

    def __init__(self, log: MemoryLog, *, applied: bool, error: Exception | None = None) -> None:
        self._log = log
        self._applied = applied
        self._error = error or Unavailable("the database is gone for the moment")

    def __enter__(self) -> None:
        self._log.database.on_step = self._fail

    def __exit__(self, *_: object) -> None:
        self._log.database.on_step = lambda name, applied: None

    def _fail(self, name: str, applied: bool) -> None:
        if (name, applied) == ("sequence", self._applied):
            raise self._error


def test_a_database_that_is_away_refuses_and_then_works_again(log: MemoryLog) -> None:
    """Nothing of a refused append is in the log, and nothing needs a restart."""
    log.sequencer.append_one(submission("a"))
    with failing_store(log, applied=False):
        for _ in range(3):
            with pytest.raises(Unavailable):
                log.sequencer.append_one(submission("b", "serial 1"))
    assert log.sequencer.append_one(submission("b", "serial 1")).index == 2
    assert names_in(log.entries()) == ["mark", "a", "b"]


def test_a_lost_commit_answer_is_found_at_resubmission(log: MemoryLog) -> None:
    """Where the database committed and then failed, asking again gives the index that was given then."""
    with failing_store(log, applied=True), pytest.raises(Unavailable):
        log.sequencer.append([submission("a", "serial 1"), submission("b")])
    again = log.sequencer.append(
        [submission("b"), submission("a", "serial 1"), submission("c", "serial 1")]
    )
    assert again == [
        Appended(index=2, leaf_hash=leaf_hash(submission("b").envelope), fresh=False),
        Appended(index=1, leaf_hash=leaf_hash(submission("a").envelope), fresh=False),
        Conflicted(unique="serial 1", index=1),
    ]
    assert names_in(log.entries()) == ["mark", "a", "b"]


def test_after_a_lost_commit_answer_others_go_on_behind_it(log: MemoryLog) -> None:
    """The size is read anew: nobody gets an index that is given already."""
    with failing_store(log, applied=True), pytest.raises(Unavailable):
        log.sequencer.append_one(submission("a"))
    assert log.sequencer.resync() == 2
    # The mark of the lost group was not known to stand, so another one opens the batch.
    assert log.sequencer.append_one(submission("b")).index == 3
    assert names_in(log.entries()) == ["mark", "a", "mark", "b"]


def test_another_writers_entries_are_a_conflict_and_then_known(log: MemoryLog) -> None:
    """Two sequencers on one database never give one index twice: the slower one is refused."""
    other = MemoryLog(store=log.database, tiles=log.files)
    other.sequencer.recover()
    log.sequencer.append_one(submission("a"))
    with pytest.raises(StateConflict):
        other.sequencer.append_one(submission("b"))
    assert other.sequencer.append_one(submission("b")).index == 3
    assert names_in(other.entries()) == ["mark", "a", "mark", "b"]


def test_a_log_that_refuses_takes_nothing_in(log: MemoryLog) -> None:
    """After `refuse` neither rows nor marks enter, by any door, and the reason is told."""
    log.sequencer.append_one(submission("a"))
    log.sequencer.refuse(Corrupt("contradicted by its witnesses"))
    doors: list[Callable[[], object]] = [
        lambda: log.sequencer.append([submission("b")]),
        lambda: log.sequencer.append_one(submission("a")),
        lambda: log.sequencer.enqueue([submission("b")], lambda _: None),
        log.sequencer.mark_time,
    ]
    for door in doors:
        with pytest.raises(Corrupt, match="contradicted"):
            door()
    assert log.database.load_size() == 2


def test_too_much_behind_its_tiles_takes_no_more_in(
    log: MemoryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where tiles cannot be written the queue in the database does not grow without end."""
    monkeypatch.setattr(sequencer_module, "MAX_BEHIND", 4)
    log.sequencer.append([submission(str(number)) for number in range(4)])
    with pytest.raises(Overloaded, match="tiles") as caught:
        log.sequencer.append_one(submission("b"))
    assert caught.value.retry_after_s > 0
    log.sequencer.integrate()
    assert log.sequencer.append_one(submission("b")).index == 5


# --- many at once


def run_all(*targets: Callable[[], object]) -> None:
    """Run each in a thread of its own, to the end of the last; one that hangs fails the test."""
    threads = [threading.Thread(target=target, daemon=True) for target in targets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads)


def test_sixty_four_threads_append_into_one_order(log: MemoryLog) -> None:
    """Fresh, repeated and conflicting rows of 64 threads: each answer is true of the log that results."""
    rounds, answers = 6, []

    def write(thread: int) -> None:
        for number in range(rounds):
            batch = [
                submission(f"own {thread} {number}", f"own {thread} {number}"),
                submission(f"shared {number}", f"key of shared {number}"),
                submission(f"rival {thread} {number}", f"one of {number}"),
            ]
            answers.append((batch, log.sequencer.append(batch)))

    run_all(*(lambda n=number: write(n) for number in range(64)))
    entries = log.entries()
    held: dict[str, int] = {}
    for batch, outcomes in answers:
        for row, outcome in zip(batch, outcomes, strict=True):
            if isinstance(outcome, Appended):
                assert entries[outcome.index] == row.envelope
                assert entries.count(row.envelope) == 1
                assert held.setdefault(row.unique[0], outcome.index) == outcome.index
    for batch, outcomes in answers:
        for row, outcome in zip(batch, outcomes, strict=True):
            if isinstance(outcome, Conflicted):
                assert (outcome.unique, outcome.index) == (row.unique[0], held[row.unique[0]])
    fresh = [o for _, outcomes in answers for o in outcomes if isinstance(o, Appended) and o.fresh]
    assert len(fresh) == len(held) == 64 * rounds + rounds + rounds
    assert len(entries) == len(fresh) + len(marks_at(log))


def test_many_threads_append_to_a_log_on_disk(tmp_path: Path) -> None:
    """The same order holds over the real database."""
    places: dict[str, int] = {}

    with open_log(tmp_path) as log:

        def write(thread: int) -> None:
            for number in range(5):
                name = f"{thread} {number}"
                places[name] = log.sequencer.append_one(submission(name)).index

        run_all(*(lambda n=number: write(n) for number in range(16)))
        found = log.entries()
    assert len(set(places.values())) == len(places) == 80
    assert all(found[index] == submission(name).envelope for name, index in places.items())


class Held:
    """Holds the first commit of a log up until it is let go; counts the commits."""

    def __init__(self, log: MemoryLog) -> None:
        self.commits = 0
        self.at_commit = threading.Event()
        self.go = threading.Event()
        self.log = log
        log.database.on_step = self._step

    def _step(self, name: str, applied: bool) -> None:
        if name == "sequence" and not applied:
            self.commits += 1
            self.at_commit.set()
            assert self.go.wait(20)

    def wait_for_line(self, length: int) -> None:
        """Until so many tickets wait behind the group that is being stored."""
        deadline = time.monotonic() + 60
        while len(self.log.sequencer._line._tickets) < length:
            assert time.monotonic() < deadline
            time.sleep(0.001)


def test_whoever_waits_during_a_commit_goes_into_the_next_together(log: MemoryLog) -> None:
    """Twenty threads behind a slow commit are one group, in one transaction, with one mark between them."""
    held = Held(log)
    places: list[int] = []

    def write(name: str) -> None:
        places.append(log.sequencer.append_one(submission(name)).index)

    def conduct() -> None:
        held.wait_for_line(20)
        held.go.set()

    first = threading.Thread(target=write, args=("first",))
    first.start()
    assert held.at_commit.wait(20)
    run_all(*(lambda n=number: write(str(n)) for number in range(20)), conduct)
    first.join(20)
    assert held.commits == 2
    assert sorted(places) == list(range(1, 22))


def behind(log: MemoryLog, leader: Callable[[], object], followers: int) -> list[object]:
    """What followers get whose rows stand in line while a leader's commit is under way."""
    held = Held(log)
    got: list[object] = []

    def follow(number: int) -> None:
        try:
            got.append(log.sequencer.append_one(submission(f"follower {number}")).index)
        except SekishoError as error:
            got.append(error)

    def conduct() -> None:
        held.wait_for_line(followers)
        held.go.set()

    threads = threading.Thread(target=leader, daemon=True)
    threads.start()
    assert held.at_commit.wait(20)
    run_all(*(lambda n=number: follow(n) for number in range(followers)), conduct)
    threads.join(20)
    assert not threads.is_alive()
    return got


class TornDown(BaseException):
    """What nobody catches: a thread's end."""


def test_a_leader_that_is_torn_down_leaves_nobody_waiting(
    log: MemoryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error that is none of ours ends its own thread; its group is told to ask again, the line goes on."""
    original = log.sequencer._sequence_group
    deaths: list[int] = []

    def die_once(group: Sequence[Ticket]) -> list[list[Outcome]]:
        if len(group) > 1 and not deaths:
            deaths.append(len(group))
            raise TornDown
        return original(group)

    def lead_quietly() -> None:
        log.sequencer.append_one(submission("first"))

    monkeypatch.setattr(log.sequencer, "_sequence_group", die_once)
    # The one of the followers that leads dies with what it raised; its thread must not fail the test.
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    got = behind(log, lead_quietly, 5)
    assert deaths == [5]
    assert [type(each) for each in got] == [Unavailable] * 4
    assert log.sequencer.append_one(submission("after")).index == 2


def test_a_thread_interrupted_in_line_does_not_stop_the_line(
    log: MemoryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who stands first and is torn away, say by an interrupt, is replaced: those behind it are served."""
    original = Ticket.wait
    torn: list[Ticket] = []

    def tear_the_first(ticket: Ticket) -> None:
        if not torn:
            torn.append(ticket)
            raise TornDown
        original(ticket)

    monkeypatch.setattr(Ticket, "wait", tear_the_first)
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    got = behind(log, lambda: log.sequencer.append_one(submission("first")), 4)
    assert len(got) == 3
    assert len(log.entries()) == 1 + 1 + 4


def test_an_error_of_the_database_reaches_the_group_and_no_further(log: MemoryLog) -> None:
    """Everybody whose rows went with the failed transaction is told; the next group is sequenced."""
    failures = [Unavailable("no space left")]
    original = log.database.sequence

    def fail_once(first: int, entries: Sequence[Any]) -> None:
        if len(entries) > 2 and failures:
            raise failures.pop()
        original(first, entries)

    log.database.sequence = fail_once  # type: ignore[method-assign]  # the disk's own moment
    got = behind(log, lambda: log.sequencer.append_one(submission("first")), 5)
    assert [str(each) for each in got] == ["no space left"] * 5
    assert log.sequencer.append_one(submission("follower 0")).index == 2


def test_a_conflict_in_a_group_refuses_its_row_alone(log: MemoryLog) -> None:
    """Of callers that share a transaction only the one with the taken key is refused."""
    log.sequencer.append_one(submission("holder", "serial 1"))
    held = Held(log)
    got: dict[str, bool | None] = {}

    def write(name: str, *keys: str) -> None:
        try:
            got[name] = log.sequencer.append_one(submission(name, *keys)).fresh
        except UniquenessConflict:
            got[name] = None

    def conduct() -> None:
        held.wait_for_line(3)
        held.go.set()

    first = threading.Thread(target=write, args=("first",))
    first.start()
    assert held.at_commit.wait(20)
    run_all(
        lambda: write("good"), lambda: write("bad", "serial 1"), lambda: write("holder"), conduct
    )
    first.join(20)
    assert got == {"first": True, "good": True, "bad": None, "holder": False}


# --- without a thread that waits


class Told:
    """An answer that remembers what it was told, and in which thread."""

    def __init__(self) -> None:
        self.results: list[object] = []
        self.threads: set[str] = set()
        self._more = threading.Semaphore(0)

    def __call__(self, result: object) -> None:
        self.results.append(result)
        self.threads.add(threading.current_thread().name)
        self._more.release()

    def wait(self, count: int) -> list[object]:
        """The results, once there are so many more of them."""
        for _ in range(count):
            assert self._more.acquire(timeout=20)
        return self.results


def test_enqueue_answers_with_the_outcomes(log: MemoryLog) -> None:
    """The answer comes from another thread, with what `append` would have returned."""
    told = Told()
    log.sequencer.enqueue([submission("a"), submission("b")], told)
    outcomes = told.wait(1)[0]
    assert isinstance(outcomes, list)
    assert places_of(outcomes) == [1, 2]
    assert told.threads == {"sequencer_0"}


def test_enqueue_answers_with_the_error(log: MemoryLog) -> None:
    """What the database raised is told instead of raised."""
    told = Told()
    with failing_store(log, applied=False):
        log.sequencer.enqueue([submission("a")], told)
        assert isinstance(told.wait(1)[0], Unavailable)


def test_enqueue_raises_what_is_wrong_with_the_rows(log: MemoryLog) -> None:
    """Bad rows are the caller's, at once; nobody is called back."""
    told: list[object] = []
    with pytest.raises(InvalidInput):
        log.sequencer.enqueue([Submission(envelope=b"", payload_sha256=bytes(32))], told.append)
    assert log.sequencer.append_one(submission("a")).index == 1
    assert told == []


def test_threads_and_answers_share_one_line(log: MemoryLog) -> None:
    """Who waits with a thread and who waits without lead and follow one another."""
    told = Told()

    def ask(number: int) -> None:
        log.sequencer.enqueue([submission(f"asked {number}")], told)

    def write(number: int) -> None:
        log.sequencer.append_one(submission(f"written {number}"))

    for turn in range(10):
        jobs = [lambda n=n: (ask if n % 2 else write)(n) for n in range(8 * turn, 8 * turn + 8)]
        run_all(*jobs)
    assert all(isinstance(each, list) for each in told.wait(40))
    assert len(log.entries()) == 1 + 80


def test_an_answer_that_raises_keeps_nobody_elses_answer_back(log: MemoryLog) -> None:
    """One caller's broken callback ends neither the line nor its neighbour's wait."""
    held, told = Held(log), threading.Event()

    def broken(_: object) -> None:
        raise RuntimeError("the loop is closed")

    first = threading.Thread(target=log.sequencer.append_one, args=(submission("first"),))
    first.start()
    assert held.at_commit.wait(20)
    log.sequencer.enqueue([submission("a")], broken)
    log.sequencer.enqueue([submission("b")], lambda _: told.set())
    held.go.set()
    assert told.wait(20)
    first.join(20)
    assert log.sequencer.append_one(submission("after")).index == 4


def test_listeners_are_told_the_new_size(log: MemoryLog) -> None:
    """After each group, of new entries or not, the size is told."""
    told: list[int] = []
    log.sequencer.on_sequenced(told.append)
    log.sequencer.append([submission("a"), submission("b")])
    log.sequencer.append_one(submission("a"))
    assert told == [3, 3]
