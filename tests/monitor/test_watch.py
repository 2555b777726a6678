from __future__ import annotations

from collections.abc import Sequence

import pytest

from sekisho.ledger import Policy
from sekisho.ledger.evidence import ForkEvidence, judge_evidence
from sekisho.model.errors import Corrupt, Unavailable
from sekisho.model.instants import Instant
from sekisho.monitor import MonitorMemory, Round, Vantage, Watch
from sekisho.ports.tile_store import NotStored
from sekisho.signing.notes import NoteSigner
from tests.ledger.forks import branch, entries_of
from tests.ledger.logs import LOG, ORIGIN, W1, W2, MemoryTiles, policy, private_key, signed

KEY = Policy.of_log(LOG.verifier)
START = Instant.from_seconds(1_800_000_000)


class Place:
    """One source whose log the test changes as it likes."""

    def __init__(self, name: str, entries: Sequence[bytes], *, tiles: bool = True) -> None:
        self.name = name
        self.files = MemoryTiles()
        self.tiles = tiles
        self.show(entries)

    def show(self, entries: Sequence[bytes], signers: Sequence[NoteSigner] = (LOG,)) -> None:
        self.files.files.update(branch(entries, signers)[1].files)

    @property
    def vantage(self) -> Vantage:
        return Vantage(
            name=self.name,
            fetch=lambda: self.files.read("checkpoint", 1 << 20),
            tiles=self.files if self.tiles else None,
        )


class Scene:
    """A monitor over places, with a folder and a clock of its own."""

    def __init__(
        self, *places: Place, trust: Policy = KEY, stale_s: float | None = None, whole: bool = True
    ) -> None:
        self.places = places
        self.folder = MemoryTiles()
        self.trust, self.stale_s, self.whole = trust, stale_s, whole
        self.now = START
        self.restart()

    def restart(self) -> None:
        """A new process over the same folder."""
        vantages = [place.vantage for place in self.places]
        self.watch = Watch(
            self.trust, vantages, MonitorMemory(self.folder), stale_s=self.stale_s, whole=self.whole
        )

    def round(self, after_s: int = 60) -> Round:
        self.now = self.now.plus(after_s)
        return self.watch.round(self.now)

    def kinds(self) -> list[tuple[str, str]]:
        """What one round newly finds, as (kind, source)."""
        return [(f.kind, f.source) for f in self.round().findings if not f.over]

    @property
    def evidence(self) -> list[ForkEvidence]:
        """All evidence that lies in the folder."""
        return [
            ForkEvidence.from_bytes(data)
            for path, data in self.folder.files.items()
            if path.startswith("evidence/")
        ]


def test_honest_log_gives_no_finding_however_it_grows() -> None:
    """Growth by one, over tile borders, standing still, and a mirror behind: nothing to tell."""
    log, mirror = Place("log", entries_of(1)), Place("mirror", entries_of(1))
    scene = Scene(log, mirror)
    for size in (1, 2, 255, 256, 257, 257, 600):
        assert scene.kinds() == []
        mirror.show(entries_of(log_size(log)))
        log.show(entries_of(size))
    done = scene.round()
    assert (done.state.size, done.findings) == (600, ())
    assert done.shown == {"log": 600, "mirror": 257}


def log_size(place: Place) -> int:
    """The size in a place's checkpoint."""
    return int(place.files.files["checkpoint"].split(b"\n")[1])


@pytest.mark.parametrize(
    ("first", "second", "at"), [(300, 300, 7), (5, 9, 2), (9, 5, 2), (4, 8, 0), (600, 256, 0)]
)
def test_two_sources_with_two_logs_are_a_fork_with_evidence(
    first: int, second: int, at: int
) -> None:
    """Whichever is larger and whoever is seen first."""
    scene = Scene(Place("log", entries_of(first)), Place("mirror", entries_of(second, fork_at=at)))
    done = scene.round()
    assert [f.kind for f in done.findings] == ["fork"]
    (evidence,) = scene.evidence
    assert judge_evidence(evidence, [LOG.verifier]).verdict == "holds"
    assert done.state.forks == (evidence.file_name,)


@pytest.mark.parametrize(("before", "after", "at"), [(5, 9, 2), (300, 300, 0), (9, 5, 0)])
def test_log_that_changes_its_story_is_a_fork_with_evidence(
    before: int, after: int, at: int
) -> None:
    """Also to one and the same reader, and although the old tiles are gone: the monitor kept the signed note."""
    log = Place("log", entries_of(before))
    mirror = Place("mirror", entries_of(before))
    scene = Scene(log, mirror)
    assert scene.kinds() == []
    log.show(entries_of(after, fork_at=at))
    assert ("fork", "log") in scene.kinds()
    (evidence,) = scene.evidence
    assert judge_evidence(evidence, [LOG.verifier]).verdict == "holds"


def test_somebody_elses_checkpoint_convicts_a_forked_log() -> None:
    """A checkpoint alone, as a friend kept it, compared with the log's own tiles."""
    friend = Place("friend", entries_of(7, fork_at=3), tiles=False)
    scene = Scene(Place("log", entries_of(9)), friend)
    assert scene.kinds() == [("fork", "friend")]
    (evidence,) = scene.evidence
    assert judge_evidence(evidence, [LOG.verifier]).verdict == "holds"


def test_two_bare_checkpoints_of_one_size_convict_without_any_tile() -> None:
    """Nobody needs tiles to see two roots of one size."""
    scene = Scene(
        Place("a", entries_of(7), tiles=False), Place("b", entries_of(7, fork_at=3), tiles=False)
    )
    assert scene.kinds() == [("fork", "b")]


def test_checkpoint_from_the_future_stays_open_until_the_log_shows_it() -> None:
    """A friend is ahead of the log: nothing can be said; later it is settled, as the truth is."""
    log = Place("log", entries_of(5))
    friend = Place("friend", entries_of(9, fork_at=7), tiles=False)
    scene = Scene(log, friend)
    scene.round()
    assert [s.checkpoint.size for s in scene.watch.state.open] == [9]
    assert scene.evidence == []
    friend.show(entries_of(5))  # the friend denies it now; the monitor remembers
    log.show(entries_of(12))
    assert [f.kind for f in scene.round().findings if f.kind == "fork"] == ["fork"]
    assert scene.watch.state.open == ()


def test_open_checkpoint_that_proves_honest_is_settled_silently() -> None:
    """The same, of a friend who told the truth."""
    log, friend = Place("log", entries_of(5)), Place("friend", entries_of(9), tiles=False)
    scene = Scene(log, friend)
    scene.round()
    log.show(entries_of(12))
    scene.round()
    assert (scene.watch.state.open, scene.watch.state.size, scene.evidence) == ((), 12, [])


def test_shrinking_log_is_found_and_over_once_it_grows_back() -> None:
    """Size going down at one source."""
    log, mirror = Place("log", entries_of(9)), Place("mirror", entries_of(9))
    scene = Scene(log, mirror)
    scene.round()
    log.show(entries_of(5))
    assert scene.kinds() == [("shrank", "log")]
    assert scene.kinds() == []
    log.show(entries_of(10))
    assert [(f.kind, f.over) for f in scene.round().findings] == [("shrank", True)]


def test_tiles_that_do_not_give_the_root_are_found() -> None:
    """A checkpoint over other tiles than those served is damaged, at the source that serves it."""
    log = Place("log", entries_of(9))
    log.files.files["tile/0/000.p/9"] = bytes(9 * 32)
    scene = Scene(log)
    assert scene.kinds() == [("damaged", "log")]
    assert scene.watch.state.size == 0
    log.show(entries_of(9))
    scene.round()
    assert scene.watch.state.size == 9


@pytest.mark.parametrize(
    "path", ["tile/0/001", "tile/entries/001", "tile/0/002.p/88", "tile/1/000.p/2"]
)
def test_missing_file_is_found_by_name_until_it_is_there(path: str) -> None:
    """A hash tile or an entry bundle that the checkpoint promises and the source lacks."""
    log = Place("log", entries_of(600))
    data = log.files.files.pop(path)
    scene = Scene(log)
    (found,) = scene.round().findings
    assert (found.kind, found.source) == ("missing", "log")
    assert path in found.detail
    log.files.files[path] = data
    assert [(f.kind, f.over) for f in scene.round().findings] == [("missing", True)]


def test_changed_entry_is_found_by_name() -> None:
    """An entry that is not the one in the tree."""
    log = Place("log", entries_of(300))
    bundle = bytearray(log.files.files["tile/entries/000"])
    bundle[5] ^= 1
    log.files.files["tile/entries/000"] = bytes(bundle)
    (found,) = Scene(log).round().findings
    assert found.kind == "damaged"
    assert "tile/entries/000" in found.detail


def test_without_whole_only_what_is_new_is_read() -> None:
    """A monitor that begins at a large log reads its edge, and from then on everything that comes."""
    log = Place("log", entries_of(300))
    del log.files.files["tile/entries/000"]
    scene = Scene(log, whole=False)
    assert scene.kinds() == []
    log.show(entries_of(301))
    del log.files.files["tile/entries/000"], log.files.files["tile/entries/001.p/45"]
    assert scene.kinds() == [("missing", "log")]


def test_stale_log_is_found() -> None:
    """Nothing newer for longer than was said."""
    scene = Scene(Place("log", entries_of(3)), stale_s=100)
    assert scene.kinds() == []
    assert scene.kinds() == []
    assert scene.kinds() == [("stale", "")]


def test_silent_and_empty_sources_are_found_and_the_rest_is_watched() -> None:
    """One source down says nothing about the others."""
    down, empty = Place("down", []), Place("empty", [])
    del empty.files.files["checkpoint"]
    scene = Scene(Place("log", entries_of(3)), down, empty)

    def refuse() -> bytes:
        raise Unavailable("down does not answer")

    scene.watch._vantages = (
        scene.places[0].vantage,
        Vantage(name="down", fetch=refuse),
        empty.vantage,
    )
    assert scene.kinds() == [("silent", "down"), ("missing", "empty")]
    assert scene.watch.state.size == 3


@pytest.mark.parametrize(
    "change",
    [
        (b"\n\n", b"\n"),
        (b"\n3\n", b"\n4\n"),
        (b"\n3\n", b"\n03\n"),
        (ORIGIN.encode(), b"example.org/other"),
    ],
)
def test_what_is_no_checkpoint_of_this_log_is_found(change: tuple[bytes, bytes]) -> None:
    """Malformed, or not what the log signed."""
    log = Place("log", entries_of(3))
    log.files.files["checkpoint"] = log.files.files["checkpoint"].replace(*change, 1)
    assert Scene(log).kinds() == [("unreadable", "log")]


def test_impostor_cannot_frame_the_log() -> None:
    """Another story under a stranger's key of the same name is unreadable, and no fork."""
    log, liar = Place("log", entries_of(3)), Place("liar", entries_of(3, fork_at=1))
    impostor = NoteSigner(ORIGIN, private_key("impostor"))
    text = signed(3, bytes(32)).text
    liar.files.files["checkpoint"] = f"{text}\n{impostor.sign(text).to_line()}".encode()
    scene = Scene(log, liar)
    assert scene.kinds() == [("unreadable", "liar")]
    assert scene.evidence == []


def test_missing_quorum_is_found_and_excuses_nothing() -> None:
    """Under a policy an unwitnessed checkpoint is a finding, and a fork all the same."""
    log, mirror = Place("log", []), Place("mirror", [])
    log.show(entries_of(5), (LOG, W1, W2))
    mirror.show(entries_of(5, fork_at=1), (LOG, W1))
    scene = Scene(log, mirror, trust=policy())
    assert scene.kinds() == [("fork", "mirror"), ("unwitnessed", "mirror")]


def test_restart_goes_on_where_it_stood() -> None:
    """After a crash the newest checkpoint, what is open and what stands are still known."""
    log, friend = Place("log", entries_of(5)), Place("friend", entries_of(9), tiles=False)
    scene = Scene(log, friend)
    scene.round()
    before = scene.watch.state
    scene.restart()
    assert scene.watch.state == before
    log.show(entries_of(7, fork_at=2))
    assert "fork" in [kind for kind, _ in scene.kinds()]


class CutFolder(MemoryTiles):
    """A folder that takes so many more writes and then loses power."""

    def __init__(self, files: dict[str, bytes], left: int) -> None:
        super().__init__(files)
        self._left = left

    def write(self, path: str, data: bytes) -> None:
        if not self._left:
            raise SystemError("power cut")
        self._left -= 1
        super().write(path, data)


@pytest.mark.parametrize("left", [0, 1])
def test_power_cut_around_the_evidence_loses_no_fork(left: int) -> None:
    """Evidence first, then the state that knows it: whatever is lost is found again."""
    log, mirror = Place("log", entries_of(5)), Place("mirror", entries_of(5, fork_at=1))
    scene = Scene(log, mirror)
    scene.folder = CutFolder({}, left)
    scene.restart()
    with pytest.raises(SystemError):
        scene.round()
    scene.folder = MemoryTiles(scene.folder.files)
    scene.restart()
    assert ("fork", "mirror") in scene.kinds()
    (evidence,) = scene.evidence
    assert judge_evidence(evidence, [LOG.verifier]).verdict == "holds"


def test_damaged_state_stops_the_monitor() -> None:
    """A monitor that forgot must not go on as if it remembered."""
    scene = Scene(Place("log", entries_of(5)))
    scene.round()
    scene.folder.files["state.json"] += b"x"
    with pytest.raises(Corrupt, match="backup"):
        scene.restart()


def test_signed_size_without_end_does_not_stop_the_watch() -> None:
    """A log that signs 2^60 entries has a file missing, and its true growth is still followed."""
    log, liar = Place("log", entries_of(5)), Place("liar", entries_of(5))
    liar.files.files["checkpoint"] = signed(2**60, bytes(32)).to_bytes()
    scene = Scene(log, liar)
    assert ("missing", "liar") in scene.kinds()
    log.show(entries_of(8))
    scene.round()
    assert scene.watch.state.size == 8


def test_vantage_that_is_not_stored_is_named() -> None:
    """A NotStored names its file."""
    place = Place("log", entries_of(5))
    del place.files.files["checkpoint"]
    with pytest.raises(NotStored):
        place.vantage.fetch()
    (found,) = Scene(place).round().findings
    assert found.detail
