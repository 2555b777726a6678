"""Notes made large, so that a monitor drowns in what it keeps: by whoever serves them, or by the log itself."""

from __future__ import annotations

from sekisho.ledger import Checkpoint, Policy, sign_checkpoint
from sekisho.ledger.monitor import Comparison, Followed, Sighting, judge_sighting
from sekisho.model.instants import Instant
from sekisho.monitor import MonitorMemory, Vantage, Watch
from sekisho.signing.notes import Note, NoteSignature
from tests.ledger.forks import branch, entries_of, root_of
from tests.ledger.logs import LOG, ORIGIN, W1, MemoryTiles, signed

AT = Instant.from_seconds(1_800_000_000)


def padded(note: Note, word: str, lines: int = 50) -> Note:
    """The same checkpoint with lines behind it that nobody's key made."""
    junk = [
        NoteSignature(name=f"{word}{n}", key_id=b"junk", signature=bytes(900)) for n in range(lines)
    ]
    claimed = NoteSignature(name=W1.name, key_id=W1.verifier.key_id, signature=bytes(8_000))
    return note.with_signatures([*junk, claimed])


def test_a_log_that_signs_long_checkpoints_blinds_no_monitor() -> None:
    """What could not be compared yet is bounded in bytes, so the state that is saved can be read back."""
    state = Followed(newest=signed(500, bytes(32)), newest_at=AT)
    for size in range(1, 80):
        long = Checkpoint(origin=ORIGIN, size=size, root=bytes(32), extensions=('"' * 900_000,))
        sighting = Sighting(source="a", note=sign_checkpoint(long, LOG), at=AT)
        state, _ = judge_sighting(state, sighting, Comparison(relation="open"))
    assert len(state.open) > 10
    assert Followed.from_bytes(state.to_bytes()) == state


def test_a_copy_that_pads_its_notes_has_them_kept_without() -> None:
    """Only lines that claim a key of the policy are remembered; the log's own are among them."""
    files, note = MemoryTiles(), signed(7, root_of(entries_of(7)))
    watch = Watch(
        Policy.of_log(LOG.verifier),
        [Vantage(name="a", fetch=lambda: padded(note, "x").to_bytes())],
        MonitorMemory(files),
    )
    watch.round(AT)
    assert watch.state.newest is not None
    assert watch.state.newest.to_bytes() == note.to_bytes()


def test_one_fork_padded_anew_each_time_is_one_fork() -> None:
    """A copy that shows a known fork again and again, each time another way, adds no evidence."""
    tiles = branch(entries_of(9), (LOG,))[1]
    shown = [signed(9, root_of(entries_of(9)))]

    def show() -> bytes:
        return shown[-1].to_bytes()

    files = MemoryTiles()
    watch = Watch(
        Policy.of_log(LOG.verifier),
        [
            Vantage(name="a", fetch=lambda: tiles.read("checkpoint", 1 << 20), tiles=tiles),
            Vantage(name="b", fetch=show),
        ],
        MonitorMemory(files),
    )
    watch.round(AT)
    for turn in range(5):
        shown.append(padded(signed(9, root_of(entries_of(9, fork_at=3))), f"turn{turn}-"))
        watch.round(AT.plus(turn + 1))
    assert len(watch.state.forks) == 1
    assert len([path for path in files.files if path.startswith("evidence/")]) == 1
