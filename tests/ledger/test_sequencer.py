from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from sekisho.adapters.storage import FileTileStore
from sekisho.ledger import LogReader, check_log, check_tree, leaf_hash, verify_inclusion
from sekisho.ledger.checkpoint import Checkpoint
from sekisho.ledger.publisher import Publisher, WitnessesMissing
from sekisho.ledger.sequencer import Appended, Conflicted, RolledBack, UniquenessConflict
from sekisho.model.errors import InvalidInput, Unavailable
from sekisho.signing.notes import Note
from tests.ledger.logs import (
    LOG,
    NOW,
    ORIGIN,
    W1,
    LocalWitness,
    LogOnDisk,
    open_log,
    policy,
    submission,
)


def entries_of(log: LogOnDisk) -> list[bytes]:
    """Every entry of the committed tree, authenticated."""
    head = log.sequencer.head
    checkpoint = Checkpoint(origin=ORIGIN, size=head.size, root=head.root)
    assert check_tree(log.tiles, checkpoint).holds
    return list(LogReader(log.tiles).entries(0, head.size, checkpoint))


def test_batch_opens_with_a_time_mark(tmp_path: Path) -> None:
    """Each batch is one mark and then its entries in the order given."""
    with open_log(tmp_path) as log:
        outcomes = log.sequencer.append([submission("a"), submission("b")])
        assert [outcome.index for outcome in outcomes] == [1, 2]
        assert log.sequencer.append_one(submission("c")).index == 4
        found = entries_of(log)
        assert [json.loads(found[index]) for index in (0, 3)] == [{"previous": None}] * 2
        assert [found[index] for index in (1, 2, 4)] == [
            submission(name).envelope for name in "abc"
        ]


def test_appended_names_the_leaf(tmp_path: Path) -> None:
    """The answer's leaf hash is the entry's, and proves into the head."""
    with open_log(tmp_path) as log:
        done = log.sequencer.append_one(submission("a"))
        head = log.sequencer.head
        assert done.leaf_hash == leaf_hash(submission("a").envelope)
        proof = LogReader(log.tiles).inclusion_proof(done.index, head.size)
        verify_inclusion(done.leaf_hash, done.index, head.size, proof, head.root)


def test_same_payload_again_gives_the_first_index(tmp_path: Path) -> None:
    """A repeated statement is answered with its place, makes no entry and no mark, whatever its envelope."""
    with open_log(tmp_path) as log:
        first = log.sequencer.append_one(submission("a", "serial 1"))
        again = submission("a", "serial 1")
        other = type(again)(envelope=b"signed twice", payload_sha256=again.payload_sha256)
        for repeated in (again, other):
            done = log.sequencer.append_one(repeated)
            assert done == Appended(index=first.index, leaf_hash=first.leaf_hash, fresh=False)
        assert log.sequencer.head.size == 2


def test_same_payload_twice_in_one_call_is_one_entry(tmp_path: Path) -> None:
    """Within one call too the second of two equal statements is the first one's repetition."""
    with open_log(tmp_path) as log:
        first, second = log.sequencer.append([submission("a"), submission("a")])
        assert isinstance(first, Appended)
        assert isinstance(second, Appended)
        assert (first.fresh, second.fresh, first.index) == (True, False, second.index)


def test_taken_unique_key_refuses_that_row_alone(tmp_path: Path) -> None:
    """A serial that another statement holds is a conflict for its row; the others stand."""
    with open_log(tmp_path) as log:
        log.sequencer.append_one(submission("a", "serial 1"))
        outcomes = log.sequencer.append(
            [submission("b", "serial 1"), submission("c", "serial 2"), submission("d", "serial 2")]
        )
        assert outcomes[0] == Conflicted(unique="serial 1", index=1)
        assert isinstance(outcomes[1], Appended)
        assert outcomes[2] == Conflicted(unique="serial 2", index=outcomes[1].index)
        with pytest.raises(UniquenessConflict):
            log.sequencer.append_one(submission("e", "serial 1"))


@pytest.mark.parametrize("length", [0, 65_536])
def test_empty_or_overlong_entry_is_refused_before_anything_is_stored(
    tmp_path: Path, length: int
) -> None:
    """An entry of no bytes or more than 16 bits can count refuses the call, and nothing of it is kept."""
    with open_log(tmp_path) as log:
        bad = type(submission("a"))(envelope=b"x" * length, payload_sha256=bytes(32))
        with pytest.raises(InvalidInput):
            log.sequencer.append([submission("a"), bad])
        log.sequencer.recover()
        assert log.sequencer.head.size == 0


def test_longest_entry_fits(tmp_path: Path) -> None:
    """65,535 bytes are an entry."""
    with open_log(tmp_path) as log:
        longest = type(submission("a"))(envelope=b"x" * 65_535, payload_sha256=bytes(32))
        log.sequencer.append_one(longest)
        assert entries_of(log)[1] == longest.envelope


def test_log_grows_over_many_batches_and_restarts(tmp_path: Path) -> None:
    """Batches of all sizes over restarts give one tree that the check derives from its entries."""
    expected = 0
    for round_number in range(6):
        with open_log(tmp_path) as log:
            for batch in range(3):
                names = [
                    f"{round_number} {batch} {n}" for n in range(17 * batch * round_number + 1)
                ]
                log.sequencer.append([submission(name) for name in names])
                expected += len(names) + 1
            assert log.sequencer.head.size == expected
            assert len(entries_of(log)) == expected


def test_many_threads_append_into_one_order(tmp_path: Path) -> None:
    """Concurrent callers each get their own places; none is lost, none doubled."""
    places: dict[str, int] = {}

    def write(log: LogOnDisk, thread: int) -> None:
        for number in range(10):
            name = f"{thread} {number}"
            places[name] = log.sequencer.append_one(submission(name)).index

    with open_log(tmp_path) as log:
        threads = [threading.Thread(target=write, args=(log, number)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        found = entries_of(log)
        assert len(set(places.values())) == len(places) == 80
        assert all(found[index] == submission(name).envelope for name, index in places.items())


def test_mark_alone_closes_the_interval(tmp_path: Path) -> None:
    """A batch may be nothing but its time mark."""
    with open_log(tmp_path) as log:
        log.sequencer.append_one(submission("a"))
        assert log.sequencer.mark_time().index == 2
        assert json.loads(entries_of(log)[2]) == {"previous": None}


def test_published_checkpoint_carries_both_cosignatures(tmp_path: Path) -> None:
    """What is published verifies under the policy, with the time that the witnesses signed."""
    with open_log(tmp_path) as log:
        done = log.sequencer.append_one(submission("a"))
        cosigned = log.publisher(log.witnesses()).publish()
        assert cosigned.times == {"w1": NOW, "w2": NOW}
        public = LogReader(FileTileStore(tmp_path / "public"))
        assert public.load_checkpoint(policy()).checkpoint == cosigned.checkpoint
        proof = public.prove(done.index, cosigned)
        assert proof.verify(submission("a").envelope, policy()).checkpoint.size == 2


def test_next_mark_holds_the_previous_cosigned_checkpoint(tmp_path: Path) -> None:
    """A batch after a publication opens with that checkpoint and its cosignatures."""
    with open_log(tmp_path) as log:
        log.sequencer.append_one(submission("a"))
        cosigned = log.publisher(log.witnesses()).publish()
        log.sequencer.append_one(submission("b"))
        previous = json.loads(entries_of(log)[2])["previous"]
        assert policy().verify_cosigned(Note.from_bytes(previous.encode())) == cosigned


def test_publisher_thread_publishes_what_is_appended(tmp_path: Path) -> None:
    """Whoever waits for an entry gets the checkpoint that covers it, and callbacks are told of each."""
    told: list[int] = []
    with open_log(tmp_path) as log, log.publisher(log.witnesses()) as publisher:
        publisher.on_published(lambda cosigned: told.append(cosigned.checkpoint.size))
        for number in range(5):
            done = log.sequencer.append_one(submission(str(number)))
            assert publisher.wait_witnessed(done.index, 10).checkpoint.size > done.index
        assert publisher.problems == {}
    assert told == sorted(told)
    assert told[-1] == 10


def test_start_publishes_an_empty_log(tmp_path: Path) -> None:
    """A new log has a checkpoint of size 0 before its first entry, so that readers find it."""
    with open_log(tmp_path) as log:
        cosigned = log.publisher(log.witnesses()).publish()
        assert cosigned.checkpoint.size == 0
        assert check_log(log.tiles, policy()).holds


class Stubborn(LocalWitness):
    """A witness that is away until told to come back."""

    def __init__(self, log: LogOnDisk, *, away: bool = True) -> None:
        super().__init__(W1, FileTileStore(log.folder / "w1"))
        self.away = away

    def add_checkpoint(self, old_size: int, proof: object, note: bytes) -> bytes:
        if self.away:
            raise Unavailable("away")
        return super().add_checkpoint(old_size, proof, note)  # type: ignore[arg-type]  # passed through


def test_missing_quorum_is_retried_until_it_is_there(tmp_path: Path) -> None:
    """Nothing is published without the quorum; when the witness is back the same entry is published."""
    with open_log(tmp_path) as log:
        stubborn = Stubborn(log)
        witnesses = log.witnesses() | {"w1": stubborn}
        with log.publisher(witnesses, retry_s=0.005, retry_most_s=0.01) as publisher:
            done = log.sequencer.append_one(submission("a"))
            with pytest.raises(WitnessesMissing, match="away"):
                publisher.wait_witnessed(done.index, 0.1)
            assert not log.tiles.exists("checkpoint")
            stubborn.away = False
            assert publisher.wait_witnessed(done.index, 10).names == {"w1", "w2"}


def test_late_cosignature_is_added_to_the_published_checkpoint(tmp_path: Path) -> None:
    """With a quorum of one the slower witness's line joins the same checkpoint when it comes."""
    release = threading.Event()

    class Slow(LocalWitness):
        def add_checkpoint(self, old_size: int, proof: object, note: bytes) -> bytes:
            release.wait(10)
            return super().add_checkpoint(old_size, proof, note)  # type: ignore[arg-type]  # passed through

    with open_log(tmp_path) as log:
        both = threading.Event()
        witnesses = log.witnesses() | {"w1": Slow(W1, FileTileStore(tmp_path / "w1"))}
        with log.publisher(witnesses, "any", grace_s=0.0) as publisher:
            publisher.on_published(lambda c: both.set() if c.names == {"w1", "w2"} else None)
            done = log.sequencer.append_one(submission("a"))
            assert publisher.wait_witnessed(done.index, 10).names == {"w2"}
            release.set()
            assert both.wait(10)


def test_slower_witness_is_given_its_grace(tmp_path: Path) -> None:
    """With the quorum there, a witness that answers within the grace is in the first publication."""

    class Slow(LocalWitness):
        def add_checkpoint(self, old_size: int, proof: object, note: bytes) -> bytes:
            threading.Event().wait(0.05)
            return super().add_checkpoint(old_size, proof, note)  # type: ignore[arg-type]  # passed through

    with open_log(tmp_path) as log:
        witnesses = log.witnesses() | {"w1": Slow(W1, FileTileStore(tmp_path / "w1"))}
        publisher = log.publisher(witnesses, "any", grace_s=10.0)
        assert publisher.publish().names == {"w1", "w2"}
        publisher.stop()


def test_publisher_catches_up_with_a_witness_that_is_ahead_of_its_memory(tmp_path: Path) -> None:
    """After a restart the publisher knows no sizes; it learns them from the witness and proves from there."""
    with open_log(tmp_path) as log:
        log.sequencer.append([submission(str(n)) for n in range(5)])
        log.publisher(log.witnesses()).publish()
    with open_log(tmp_path) as log:
        log.sequencer.append_one(submission("next"))
        assert log.publisher(log.witnesses()).publish().checkpoint.size == 8


def test_policy_must_name_the_witness(tmp_path: Path) -> None:
    """A witness that the policy does not name cannot be asked."""
    with open_log(tmp_path) as log, pytest.raises(InvalidInput):
        log.publisher({"w9": LocalWitness(W1, log.tiles)})


def test_witness_that_remembers_more_stops_the_publisher(tmp_path: Path) -> None:
    """A database that was rolled back, checkpoint file and all, is found by its witnesses."""
    with open_log(tmp_path / "first") as log:
        witnesses = log.witnesses()
        log.sequencer.append([submission(str(n)) for n in range(5)])
        log.publisher(witnesses).publish()
    with open_log(tmp_path / "second") as log:
        publisher: Publisher = log.publisher(witnesses)
        log.sequencer.append_one(submission("other"))
        with pytest.raises(RolledBack):
            publisher.publish()
        with publisher, pytest.raises(RolledBack):
            publisher.wait_witnessed(0, 10)


def test_head_is_signed_by_the_log(tmp_path: Path) -> None:
    """The signed head verifies under the log's key alone."""
    with open_log(tmp_path) as log:
        log.sequencer.append_one(submission("a"))
        note = log.sequencer.signed_head()
        assert LOG.verifier.verify(note.text, note.signatures[0]).timestamp is None
