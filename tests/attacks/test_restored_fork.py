"""A home brought back from an older backup begins to write: it must not sign a fork of what was published since.

`--as-it-is` takes a backup on the operator's word. The word may be wrong, or a lie; the witnesses know better, and are
asked before anything new is signed for them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from sekisho.adapters.clocks import SystemClock
from sekisho.adapters.storage import FileTileStore
from sekisho.adapters.transport.witness_client import HttpWitness
from sekisho.app import Control, Home
from sekisho.app.backup import back_up
from sekisho.app.restoring import RestorePlan, restore_home
from sekisho.ledger.asked_first import AskedFirst, refuse_lost_entries
from sekisho.ledger.checkpoint import Checkpoint
from sekisho.ledger.recovery import RolledBack
from sekisho.ledger.tiles import CHECKPOINT_PATH
from sekisho.model.errors import Unavailable
from sekisho.ports.witness import WitnessConflict, WitnessRefused
from sekisho.signing.notes import MAX_NOTE_BYTES, Note
from tests.app.test_backup import enrol
from tests.ledger.logs import policy
from tests.regime import WITNESSES, LiveRegime, live_regime

PASSPHRASE = b"six random words are better"


@pytest.fixture(scope="module")
def regime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveRegime]:
    """A regime that was backed up and published more since; its witnesses go on."""
    folder = tmp_path_factory.mktemp("regime")
    with live_regime(folder) as live:
        home = live.control.home
        back_up(home, folder / "backup", now=SystemClock().now(), passphrase=PASSPHRASE)
        enrol(live, "party-after-the-backup")
        yield live


def restored(regime: LiveRegime, folder: Path) -> Home:
    """The backup, on the word that nothing newer was cosigned."""
    backup = regime.control.home.path.parent / "backup"
    plan = RestorePlan(
        backup=backup, home=folder / "restored", as_it_is=True, passphrase=PASSPHRASE
    )
    restore_home(plan)
    return Home(path=folder / "restored")


def test_home_restored_on_a_false_word_signs_no_fork(
    regime: LiveRegime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not start, and no note of another size than the backup's has left it for any witness."""
    home = restored(regime, tmp_path)
    public = FileTileStore(home.public)
    before = public.read(CHECKPOINT_PATH, MAX_NOTE_BYTES)
    shown = list[bytes]()
    told = HttpWitness.add_checkpoint

    def listen(self: HttpWitness, old: int, proof: Sequence[bytes], note: bytes) -> bytes:
        shown.append(note)
        return told(self, old, proof, note)

    monkeypatch.setattr(HttpWitness, "add_checkpoint", listen)
    witnesses = dict(zip(WITNESSES, regime.witnesses, strict=True))
    with pytest.raises(RolledBack, match="lost here") as refused, Control(home, witnesses):
        pass
    monkeypatch.undo()
    assert "--replay" in refused.value.remedy
    assert shown
    assert set(shown) == {before}
    assert public.read(CHECKPOINT_PATH, MAX_NOTE_BYTES) == before
    with home.open_entries(home.load_root().origin) as entries:
        size = entries.size
    assert size == Checkpoint.from_text(Note.from_bytes(before).text).size
    enrol(regime, "party-afterwards")  # the log itself goes on under the same witnesses


def test_home_restored_while_witnesses_are_silent_publishes_no_fork(
    regime: LiveRegime, tmp_path: Path
) -> None:
    """With nobody to ask it starts, and holds and pauses act; nothing that it writes is ever witnessed."""
    home = restored(regime, tmp_path)
    before = FileTileStore(home.public).read(CHECKPOINT_PATH, MAX_NOTE_BYTES)
    silent = dict.fromkeys(WITNESSES, "http://127.0.0.1:9")
    with Control(home, silent) as control:
        control.desk.mark_time()
        with pytest.raises(Unavailable):
            control.publisher.wait_witnessed(control.desk.state.size - 1, 0.3)
    assert FileTileStore(home.public).read(CHECKPOINT_PATH, MAX_NOTE_BYTES) == before


class Standing:
    """A witness that stands somewhere, or is silent; what it was shown."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.silent = False
        self.shown: list[bytes] = []

    def add_checkpoint(self, old_size: int, proof: Sequence[bytes], note: bytes) -> bytes:
        if self.silent:
            raise Unavailable("nobody answers")
        self.shown.append(note)
        if old_size != self.size:
            raise WitnessConflict("stands elsewhere", size=self.size)
        return b"line"


def test_witness_that_comes_back_late_is_not_shown_the_fork_either() -> None:
    """Silent at the start, it is asked before the first head that it is shown; then it is shown none."""
    witness = Standing(12)
    witness.silent = True
    seat = AskedFirst(witness, (10, b"known"), 11)
    for _ in range(2):
        with pytest.raises(Unavailable):
            seat.add_checkpoint(10, (), b"new head")
    witness.silent = False
    for _ in range(2):
        with pytest.raises(WitnessRefused, match="12 entries") as refused:
            seat.add_checkpoint(10, (), b"new head")
        assert refused.value.status == 422
    assert witness.shown == [b"known"]


@pytest.mark.parametrize("stands", [0, 9, 10, 11])
def test_witness_that_stands_no_further_is_asked_as_ever(stands: int) -> None:
    """Behind, level, or at a head that was signed and not published before the stop: no fork, and it is asked once."""
    witness = Standing(stands)
    seat = AskedFirst(witness, (10, b"known"), 11)
    assert seat.add_checkpoint(stands, (), b"new head") == b"line"
    assert witness.shown == [b"known", b"new head"]


def test_witness_with_another_tree_of_the_known_size() -> None:
    """It says the very size that it was asked about: what it cosigned there is another tree."""

    class Elsewhere(Standing):
        def add_checkpoint(self, old_size: int, proof: Sequence[bytes], note: bytes) -> bytes:
            raise WitnessConflict("another root", size=self.size)

    seat = AskedFirst(Elsewhere(10), (10, b"known"), 11)
    with pytest.raises(WitnessRefused, match="another tree"):
        seat.add_checkpoint(10, (), b"new head")


def test_one_lying_witness_stops_no_start_that_has_a_quorum_without_it() -> None:
    """A word alone does not keep a log down where the others suffice; where they do not, nothing begins."""
    seats = {
        "w1": AskedFirst(Standing(10**9), (10, b"known"), 11),
        "w2": AskedFirst(Standing(10), (10, b"known"), 11),
    }
    refuse_lost_entries(seats, policy("any"))
    with pytest.raises(RolledBack, match="w1: it has cosigned 1000000000 entries"):
        refuse_lost_entries(seats, policy("all"))
