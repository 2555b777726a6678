"""From the head to a cosigned, published checkpoint, whatever the witnesses do."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from sekisho.adapters.storage import FileTileStore
from sekisho.ledger import LogReader, check_log
from sekisho.ledger.policy import Cosigned
from sekisho.ledger.publisher import Publisher, WitnessesMissing
from sekisho.ledger.sequencer import RolledBack
from sekisho.model.errors import InvalidInput, Unavailable
from sekisho.ports.witness import Witness
from sekisho.signing.notes import Note
from tests.ledger.logs import (
    LOG,
    NOW,
    W1,
    LocalWitness,
    MemoryLog,
    open_log,
    open_memory_log,
    policy,
    submission,
)


@pytest.fixture
def log() -> MemoryLog:
    """A new log in memory, recovered."""
    return open_memory_log()


class Moody:
    """A witness that is away or slow when told to be."""

    def __init__(self, witness: Witness) -> None:
        self.witness = witness
        self.away = False
        self.asked = 0
        self.may_answer = threading.Event()
        self.may_answer.set()

    def add_checkpoint(self, old_size: int, proof: Sequence[bytes], note: bytes) -> bytes:
        self.asked += 1
        if self.away:
            raise Unavailable("away")
        assert self.may_answer.wait(20)
        return self.witness.add_checkpoint(old_size, proof, note)


def moody(log: MemoryLog) -> tuple[Moody, dict[str, Witness]]:
    """The log's witnesses, the first of them moody."""
    both = log.witnesses()
    first = Moody(both["w1"])
    return first, {**both, "w1": first}


def test_a_published_checkpoint_carries_both_cosignatures(tmp_path: Path) -> None:
    """What is published verifies under the policy, with the time that the witnesses signed."""
    with open_log(tmp_path) as log:
        done = log.sequencer.append_one(submission("a"))
        cosigned = log.publisher(log.witnesses()).publish()
        assert cosigned.times == {"w1": NOW, "w2": NOW}
        public = LogReader(FileTileStore(tmp_path / "public"))
        assert public.load_checkpoint(policy()).checkpoint == cosigned.checkpoint
        proof = public.prove(done.index, cosigned)
        assert proof.verify(submission("a").envelope, policy()).checkpoint.size == 2


def test_the_next_mark_holds_the_previous_cosigned_checkpoint(log: MemoryLog) -> None:
    """A batch after a publication opens with that checkpoint and its cosignatures."""
    log.sequencer.append_one(submission("a"))
    cosigned = log.publisher(log.witnesses()).publish()
    log.sequencer.append_one(submission("b"))
    previous = json.loads(log.entries()[2])["previous"]
    assert policy().verify_cosigned(Note.from_bytes(previous.encode())) == cosigned


def test_publication_drops_the_partial_tiles_that_it_covers(log: MemoryLog) -> None:
    """The tiles of the published checkpoint stay until a newer one is published, and then go."""
    publisher = log.publisher(log.witnesses())
    log.sequencer.append([submission(str(number)) for number in range(99)])
    publisher.publish()
    log.sequencer.append([submission(f"more {number}") for number in range(200)])
    log.sequencer.integrate()
    assert {"tile/0/000.p/100", "tile/0/000"} <= set(log.files.files)
    publisher.publish()
    assert not [path for path in log.files.files if path.startswith("tile/0/000.p")]
    assert check_log(log.tiles, policy()).holds


def test_the_thread_publishes_what_is_appended(log: MemoryLog) -> None:
    """Whoever waits for an entry gets the checkpoint that covers it, and callbacks are told of each."""
    told: list[int] = []
    with log.publisher(log.witnesses()) as publisher:
        publisher.on_published(lambda cosigned: told.append(cosigned.checkpoint.size))
        for number in range(5):
            done = log.sequencer.append_one(submission(str(number)))
            assert publisher.wait_witnessed(done.index, 10).checkpoint.size > done.index
        assert publisher.problems == {}
    assert told == sorted(told)
    assert told[-1] == 10


def test_a_start_publishes_an_empty_log(log: MemoryLog) -> None:
    """A new log has a checkpoint of size 0 before its first entry, so that readers find it."""
    cosigned = log.publisher(log.witnesses()).publish()
    assert cosigned.checkpoint.size == 0
    assert check_log(log.tiles, policy()).holds


def test_a_start_publishes_what_was_sequenced_before_it(log: MemoryLog) -> None:
    """Entries that a stop left unpublished need no further append."""
    done = log.sequencer.append_one(submission("a"))
    again = log.restarted()
    again.sequencer.recover()
    with again.publisher(again.witnesses()) as publisher:
        assert publisher.wait_witnessed(done.index, 10).checkpoint.size == 2


def test_a_missing_quorum_is_retried_until_it_is_there(log: MemoryLog) -> None:
    """Nothing is published without the quorum; when the witness is back the same entry is published."""
    first, witnesses = moody(log)
    first.away = True
    with log.publisher(witnesses, retry_s=0.005, retry_most_s=0.01) as publisher:
        done = log.sequencer.append_one(submission("a"))
        with pytest.raises(WitnessesMissing, match="away"):
            publisher.wait_witnessed(done.index, 0.1)
        assert not log.tiles.exists("checkpoint")
        first.away = False
        assert publisher.wait_witnessed(done.index, 10).names == {"w1", "w2"}


def test_entries_are_taken_in_while_the_witnesses_are_away(log: MemoryLog) -> None:
    """Witnesses are no part of appending: what came in meanwhile is covered by one checkpoint later."""
    first, witnesses = moody(log)
    first.away = True
    with log.publisher(witnesses, retry_s=0.005, retry_most_s=0.01) as publisher:
        done = [log.sequencer.append_one(submission(str(number))) for number in range(20)]
        first.away = False
        assert publisher.wait_witnessed(done[-1].index, 10).checkpoint.size == 21


def test_a_late_cosignature_is_added_to_the_published_checkpoint(log: MemoryLog) -> None:
    """With a quorum of one the slower witness's line joins the same checkpoint when it comes."""
    first, witnesses = moody(log)
    first.may_answer.clear()
    both = threading.Event()
    with log.publisher(witnesses, "any", grace_s=0.0) as publisher:
        publisher.on_published(lambda c: both.set() if c.names == {"w1", "w2"} else None)
        done = log.sequencer.append_one(submission("a"))
        assert publisher.wait_witnessed(done.index, 10).names == {"w2"}
        first.may_answer.set()
        assert both.wait(60)


def test_a_slower_witness_is_given_its_grace(log: MemoryLog) -> None:
    """With the quorum there, a witness that answers within the grace is in the first publication."""
    first, witnesses = moody(log)
    first.may_answer.clear()
    threading.Timer(0.05, first.may_answer.set).start()
    publisher = log.publisher(witnesses, "any", grace_s=10.0)
    assert publisher.publish().names == {"w1", "w2"}
    publisher.stop()


def test_an_absent_witness_is_asked_again_without_new_entries(log: MemoryLog) -> None:
    """A witness that missed a published head gets it again after a while, and its line is added."""
    first, witnesses = moody(log)
    first.away = True
    both = threading.Event()
    with log.publisher(witnesses, "any", absent_s=0.05) as publisher:
        publisher.on_published(lambda c: both.set() if c.names == {"w1", "w2"} else None)
        done = log.sequencer.append_one(submission("a"))
        assert publisher.wait_witnessed(done.index, 10).names == {"w2"}
        assert not both.wait(0.2)
        assert publisher.problems == {"w1": "away"}
        first.away = False
        assert both.wait(60)
        assert publisher.problems == {}


def test_a_complete_checkpoint_is_not_asked_for_again(log: MemoryLog) -> None:
    """With every line there, an idle log leaves its witnesses alone."""
    first, witnesses = moody(log)
    with log.publisher(witnesses, absent_s=0.01) as publisher:
        done = log.sequencer.append_one(submission("a"))
        publisher.wait_witnessed(done.index, 10)
        asked = first.asked
        time.sleep(0.2)
        assert first.asked == asked


def test_a_restart_loses_no_cosignature(log: MemoryLog) -> None:
    """What one witness gave before the stop is not unpublished because it is away after it."""
    log.sequencer.append_one(submission("a"))
    log.publisher(log.witnesses()).publish()
    whole = log.files.files["checkpoint"]
    again = log.restarted()
    again.sequencer.recover()
    first, witnesses = moody(again)
    first.away = True
    with again.publisher(witnesses, "any", absent_s=0.02, grace_s=0.0) as publisher:
        time.sleep(0.2)
        assert publisher.publish().names == {"w1", "w2"}
    assert again.files.files["checkpoint"] == whole
    assert first.asked == 0


def test_a_stricter_policy_publishes_anew(log: MemoryLog) -> None:
    """A checkpoint that today's policy would not accept is cosigned again at the same size."""
    first, witnesses = moody(log)
    first.away = True
    log.sequencer.append_one(submission("a"))
    assert log.publisher(witnesses, "any", grace_s=0.0).publish().names == {"w2"}
    again = log.restarted()
    again.sequencer.recover()
    with again.publisher(again.witnesses()) as publisher:
        assert publisher.wait_witnessed(1, 10).names == {"w1", "w2"}


def test_the_publisher_catches_up_with_witnesses_that_know_more_than_it(log: MemoryLog) -> None:
    """Where the log knows no sizes, it learns them from the witness and proves from there."""
    log.sequencer.append([submission(str(n)) for n in range(5)])
    log.publisher(log.witnesses()).publish()
    again = log.restarted()
    again.database._rows.cosigned = None
    again.sequencer.recover()
    again.sequencer.append_one(submission("next"))
    assert again.publisher(again.witnesses()).publish().checkpoint.size == 8


def test_a_policy_must_name_the_witness(log: MemoryLog) -> None:
    """A witness that the policy does not name cannot be asked."""
    with pytest.raises(InvalidInput):
        log.publisher({"w9": LocalWitness(W1, log.tiles)})


def contradicted() -> tuple[MemoryLog, dict[str, Witness]]:
    """A log whose witnesses have seen a larger tree under its name."""
    other = open_memory_log()
    other.sequencer.append([submission(str(n)) for n in range(5)])
    other.publisher(other.witnesses()).publish()
    return open_memory_log(), other.witnesses()


def test_a_database_that_was_rolled_back_with_its_checkpoint_is_found_by_the_witnesses() -> None:
    """Nothing in the folder tells of it; the witnesses remember more."""
    log, witnesses = contradicted()
    log.sequencer.append_one(submission("other"))
    publisher = log.publisher(witnesses)
    with pytest.raises(RolledBack, match="another tree") as caught:
        publisher.publish()
    assert "fork" in caught.value.remedy
    assert not log.tiles.exists("checkpoint")


def test_a_contradicted_publisher_stops_the_appends() -> None:
    """A tree that can never be published must not grow: who waits and who appends learn why."""
    log, witnesses = contradicted()
    with log.publisher(witnesses) as publisher:
        with pytest.raises(RolledBack):
            publisher.wait_witnessed(0, 10)
        size = log.sequencer.size
        with pytest.raises(RolledBack, match="another tree"):
            log.sequencer.append_one(submission("other"))
        with pytest.raises(RolledBack):
            publisher.wait_witnessed(99, 10)
    assert log.sequencer.size == size


def test_one_contradicting_witness_of_several_stops_nothing() -> None:
    """A quorum without the one that says otherwise goes on; its problem is told."""
    log, witnesses = contradicted()
    log.sequencer.append_one(submission("a"))
    mixed = {**log.witnesses(), "w1": witnesses["w1"]}
    with log.publisher(mixed, "any") as publisher:
        assert publisher.wait_witnessed(1, 10).names == {"w2"}
        assert "w1" in publisher.problems
        assert log.sequencer.append_one(submission("b")).fresh


class Wrong:
    """A witness that answers with something else than its cosignature."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer

    def add_checkpoint(self, old_size: int, proof: Sequence[bytes], note: bytes) -> bytes:
        return self.answer


@pytest.mark.parametrize(
    "answer",
    [b"", b"\xff\xfe", b"no signature line\n", b"\xe2\x80\x94 example.org/w1 AAAAAA==\n"],
    ids=["nothing", "no text", "no line", "too short"],
)
def test_a_witness_that_answers_nonsense_is_named_and_left_out(
    log: MemoryLog, answer: bytes
) -> None:
    """Its answer never reaches the checkpoint; the others' quorum is published."""
    log.sequencer.append_one(submission("a"))
    publisher = log.publisher({**log.witnesses(), "w1": Wrong(answer)}, "any")
    assert publisher.publish().names == {"w2"}
    assert set(publisher.problems) == {"w1"}
    publisher.stop()


def test_a_full_disk_is_retried(log: MemoryLog) -> None:
    """Tiles that cannot be written for a while delay the checkpoint, not the appends."""
    good, left = log.files.write_all, [Unavailable("no space left")] * 3

    def write_all(files: Sequence[tuple[str, bytes]]) -> None:
        if left:
            raise left.pop()
        good(files)

    log.files.write_all = write_all  # type: ignore[method-assign]  # the disk's own moment
    with log.publisher(log.witnesses(), retry_s=0.005) as publisher:
        done = log.sequencer.append_one(submission("a"))
        assert publisher.wait_witnessed(done.index, 10).checkpoint.size == 2
    assert left == []


def test_a_publisher_that_broke_says_so_at_once(
    log: MemoryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error that nobody foresaw ends the thread; who waits learns it instead of waiting for nothing."""
    monkeypatch.setattr(threading, "excepthook", lambda _: None)

    def break_down(_: Cosigned) -> None:
        raise ValueError

    with log.publisher(log.witnesses()) as publisher:
        publisher.on_published(break_down)
        started = time.monotonic()
        with pytest.raises(Unavailable, match="ended by an error"):
            publisher.wait_witnessed(99, 30)
        assert time.monotonic() - started < 20


def test_a_publisher_that_was_stopped_has_not_failed(log: MemoryLog) -> None:
    """A stop that was asked for is no reason; what is not witnessed yet is just that."""
    with log.publisher(log.witnesses()) as publisher:
        publisher.wait_witnessed(log.sequencer.append_one(submission("a")).index, 10)
    with pytest.raises(WitnessesMissing):
        publisher.wait_witnessed(99, 0.01)


def test_the_latest_publication_is_known_after_a_restart(log: MemoryLog) -> None:
    """What is published is there for whoever asks, before the first round."""
    log.sequencer.append_one(submission("a"))
    published: Cosigned = log.publisher(log.witnesses()).publish()
    again = log.restarted()
    again.sequencer.recover()
    publisher: Publisher = again.publisher(again.witnesses())
    assert publisher.latest == published
    assert LOG.name == published.checkpoint.origin
