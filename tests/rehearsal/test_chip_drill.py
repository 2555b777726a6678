"""The chips' drill: what it leaves behind, what it refuses to call as announced, and its challenge."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sekisho.adapters.clocks import SystemClock
from sekisho.adapters.storage import FileTileStore
from sekisho.app import Home, Wanted, open_papers
from sekisho.ledger import Checkpoint, sign_checkpoint
from sekisho.model.instants import Instant
from sekisho.model.statements import IrregularityFound, TimeMarked
from sekisho.operations.reading import read_state
from sekisho.ports.witness import WitnessRefused
from sekisho.registry.irregularity import SERIOUS
from sekisho.rehearsal import chip_diversion, chip_drill, chip_trade
from sekisho.rehearsal.chip_devices import (
    Accelerator,
    Answer,
    EmptyBox,
    Recorder,
    draw_challenge,
    judge_answer,
)
from sekisho.rehearsal.chip_drill import ChipDrillResult, play_chips
from sekisho.rehearsal.chip_regime import NearWitness
from sekisho.rehearsal.chip_scene import CHIPS, CLOUD, SERVERS, ChipScene, NotAsAnnounced
from sekisho.rehearsal.script import StepResult
from sekisho.rehearsal.serving import opened
from sekisho.rehearsal.stage import Stage
from sekisho.signing import Recorded
from sekisho.signing.notes import NoteSigner
from tests import factory as f

DIVERTED = CHIPS[8:]


class Audience:
    """Hears what is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def begin(self, name: str, number: int, count: int) -> None:
        self.lines.append(f"{number}/{count} {name}")

    def say(self, line: str) -> None:
        self.lines.append(line)

    def end(self, result: StepResult) -> None:
        self.lines.append(result.problem)


class Played:
    def __init__(self, folder: Path) -> None:
        self.home = Home.open(folder)
        self.audience = Audience()
        self.began = SystemClock().now()
        self.result: ChipDrillResult = play_chips(
            self.home, self.audience, now=self.began, language="en"
        )

    def recorded(self) -> list[Recorded]:
        """What a stranger reads in the public log."""
        heard: list[Recorded] = []
        read_state(FileTileStore(self.home.public), self.home.load_root(), hear=heard.append)
        return heard


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """One drill, played once for all tests that only look."""
    return Played(tmp_path_factory.mktemp("drilled"))


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[ChipScene]:
    """A scene of its own, for playing single steps."""
    now = SystemClock().now()
    made = ChipScene(Home.open(tmp_path / "home"), now.plus(-17 * 86_400), "en", lambda _: None)
    yield made
    made.close()


def play_until(scene: ChipScene, last: str) -> None:
    for name, act in chip_drill.STEPS:
        act(scene)
        if name == last:
            return


def test_every_step_does_what_was_announced(played: Played) -> None:
    """All of them, in their order, in well under the time that people wait."""
    steps = played.result.steps
    assert [(s.name, s.ok, s.problem) for s in steps] == [
        (name, True, "") for name, _ in chip_drill.STEPS
    ]
    assert played.result.verdict == "holds"


def test_it_says_plainly_that_label_inspection_passes(played: Played) -> None:
    """And, of the same labels, that the register calls them unverifiable."""
    told = "\n".join(played.audience.lines)
    assert "label inspection passes, although 8 of 16 accelerators are gone" in told
    assert "calls all 18 of them unverifiable" in told
    assert "balance 2 of the hall: book 18, counted 18, difference 0 components: holds" in told
    assert "balance 3 of the hall: book 18, counted 9, difference 9 components: fails" in told


def test_the_log_holds_the_findings_and_names_no_chip(played: Played) -> None:
    """Eight clones, two other keys, one balance; neither a serial nor a place stands in the public files."""
    facts = [entry.verified.predicate for entry in played.recorded()]
    found = Counter(x.irregularity for x in facts if isinstance(x, IrregularityFound))
    assert found == {"active-elsewhere": 8, "other-device-key": 2, "balance-missing": 1}
    files = [p.read_bytes() for p in played.home.public.rglob("*") if p.is_file()]
    assert files
    assert not [data for data in files if b"DRILL-GPU" in data or b"drill-warehouse" in data]


def test_no_genuine_chip_is_reported(played: Played) -> None:
    """Serious alerts stand on diverted chips alone; of each one at least one."""
    with open_papers(played.home) as papers:
        alerts = [
            row for row in papers.alerts(limit=500) if row.code in SERIOUS and not row.refused
        ]
    assert {row.epc for row in alerts} == set(DIVERTED)


def test_whatever_was_seen_the_book_stands(played: Played) -> None:
    """Seeing a chip elsewhere moves nothing: custodian and place are those of the signed events."""
    with open_papers(played.home) as papers:
        rows = papers.search(Wanted(party=CLOUD)).rows
    assert {row.epc for row in rows} == {*CHIPS, *SERVERS}
    assert {row.site for row in rows} == {"drill-hall"}
    assert [row.epc for row in rows if row.state == "suspended"] == [CHIPS[3]]


def test_its_calendar_ends_before_the_present(played: Played) -> None:
    """A home with marks in the future could not be served."""
    marks = [
        entry.verified.predicate.effective
        for entry in played.recorded()
        if isinstance(entry.verified.predicate, TimeMarked)
    ]
    assert marks == sorted(marks)
    assert played.began.plus(-18 * 86_400) < marks[0]
    assert marks[-1] < played.began


def test_its_home_can_be_served_afterwards(tmp_path: Path) -> None:
    """The witnesses' processes take up key and memory, the register is there, and nothing is out of order."""
    home = Home.open(tmp_path / "home")
    now = SystemClock().now()
    scene = ChipScene(home, now.plus(-17 * 86_400), "en", lambda _: None)
    try:
        play_until(scene, "install")
    finally:
        scene.close()
    with Stage(home) as stage, opened(home, stage) as control:
        assert control.register.store.load_standings(CHIPS).keys() == set(CHIPS)
        control.desk.mark_time()
        control.publisher.wait_witnessed(control.desk.state.size - 1, 10)
        assert control.problems == {}


# --- what is not as announced ----------------------------------------------------------------------


def test_a_hall_without_dummies_is_not_as_announced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing was diverted the challenge finds sixteen genuine chips, and the drill fails there."""
    kept = [(n, act) for n, act in chip_drill.STEPS if n not in ("correct", "divert", "labels")]
    monkeypatch.setattr(chip_drill, "STEPS", tuple(kept))
    result = Played(tmp_path / "home").result
    assert result.verdict == "fails"
    assert (result.steps[-1].name, result.steps[-1].ok) == ("challenge", False)
    assert "who answers with the registered key" in result.steps[-1].problem


def test_a_receipt_that_is_not_early_is_not_as_announced(scene: ChipScene) -> None:
    """Told a second time it neither waits nor takes effect, and the step fails."""
    play_until(scene, "early")
    with pytest.raises(NotAsAnnounced, match="early receipt"):
        chip_trade.receive_early(scene)


def test_a_document_that_cannot_be_read_is_not_as_announced(scene: ChipScene) -> None:
    """Problems in a document end the step with the register's own words."""
    play_until(scene, "enrol")
    with pytest.raises(NotAsAnnounced, match="eventTime"):
        scene.capture([{"type": "ObjectEvent"}], CLOUD)


def test_an_inspector_without_the_power_is_not_as_announced(
    scene: ChipScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a party states of its own hall is no inspection."""
    play_until(scene, "install")
    monkeypatch.setattr(chip_diversion, "INSPECTOR", CLOUD)
    with pytest.raises(NotAsAnnounced, match="power to inspect"):
        chip_diversion.ask_devices(scene)


def test_a_scene_without_a_regime_says_so(scene: ChipScene) -> None:
    """Nothing can be read before it is founded, and of a chip that nobody made nothing stands."""
    with pytest.raises(NotAsAnnounced, match="founded"):
        _ = scene.regime
    scene.open()
    with pytest.raises(NotAsAnnounced, match="not registered"):
        scene.standing(CHIPS[0])


# --- the challenge -----------------------------------------------------------------------------------


def test_the_genuine_chip_answers_and_others_do_not() -> None:
    """Registered key, another key, silence."""
    chip, other = Accelerator(), Accelerator()
    asked = draw_challenge("GPU-1", "hall")
    found = [
        judge_answer(asked, device.answer(asked), chip.key_digest)
        for device in (chip, other, EmptyBox())
    ]
    assert found == [
        ("registered-key", chip.key_digest),
        ("other-key", other.key_digest),
        ("unanswered", ""),
    ]


@pytest.mark.parametrize(("label", "place"), [("GPU-1", "hall"), ("GPU-2", "hall"), ("GPU-1", "x")])
def test_a_recording_does_not_answer_again(label: str, place: str) -> None:
    """An answer serves one nonce, one label and one place."""
    chip = Accelerator()
    recorder = Recorder(_answer(chip, label, place))
    asked = draw_challenge("GPU-1", "hall")
    assert judge_answer(asked, recorder.answer(asked), chip.key_digest) == ("not-this-nonce", "")


def test_a_public_key_alone_proves_nothing() -> None:
    """A dummy that shows the genuine chip's public key signs with its own: no key is stated for it."""
    chip, dummy = Accelerator(), Accelerator()
    asked = draw_challenge("GPU-1", "hall")
    said, known = dummy.answer(asked), chip.answer(asked)
    assert said is not None
    assert known is not None
    forged = Answer(public=known.public, envelope=said.envelope)
    assert judge_answer(asked, forged, chip.key_digest) == ("not-this-nonce", "")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda a: Answer(public="rubbish", envelope=a.envelope),
        lambda a: Answer(public=a.public, envelope=b"{}"),
        lambda a: Answer(public=a.public, envelope=b"\xff" * 64),
        lambda a: Answer(public=a.public, envelope=f.signed(f.party_enrolled(), f.PARTY).raw),
    ],
)
def test_what_cannot_be_read_is_no_answer(spoil: Callable[[Answer], Answer]) -> None:
    """Rubbish never counts as a key, and never ends the inspection."""
    chip = Accelerator()
    asked = draw_challenge("GPU-1", "hall")
    assert judge_answer(asked, spoil(_answer(chip, "GPU-1", "hall")), chip.key_digest) == (
        "unanswered",
        "",
    )


def test_two_challenges_are_never_alike() -> None:
    """Nobody can prepare for one."""
    assert len({draw_challenge("GPU-1", "hall").nonce for _ in range(64)}) == 64


# --- the witnesses -----------------------------------------------------------------------------------


def test_its_witnesses_cosign_no_fork(tmp_path: Path) -> None:
    """Called directly, they judge and remember as their processes do, over a restart as well."""
    log = NoteSigner("log.example/test", f.LOG.private)
    first = _signed(log, b"\1" * 32)

    def witness() -> NearWitness:
        return NearWitness("w.example/1", tmp_path, log.verifier, lambda: Instant.from_seconds(9))

    assert witness().add_checkpoint(0, (), first).startswith("— w.example/1".encode())
    with pytest.raises(WitnessRefused):
        witness().add_checkpoint(1, (), _signed(log, b"\2" * 32))


def _signed(log: NoteSigner, root: bytes) -> bytes:
    return sign_checkpoint(Checkpoint(origin=log.name, size=1, root=root), log).to_bytes()


def _answer(chip: Accelerator, label: str, place: str) -> Answer:
    answer = chip.answer(draw_challenge(label, place))
    assert answer is not None
    return answer
