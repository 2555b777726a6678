"""`sekisho agent release`, `update` and `releases`: the guide as it stands, and what the commands refuse."""

from __future__ import annotations

import datetime as dt
import json
import re
import shlex
import types
from pathlib import Path

import msgspec
import pytest

from sekisho.following import Followed
from sekisho.ledger import LogReader, Policy
from sekisho.model.errors import StateConflict
from sekisho.model.instants import Instant
from sekisho.model.statements import AgentReleased, PowerGrant, QuorumPart
from sekisho.model.wire import canonical, encode_base64
from sekisho.operations.admission import check_admission
from sekisho.operations.grounds import Grounds
from sekisho.operations.releasing import express_quorum
from sekisho.operations.unique_keys import unique_keys
from sekisho.signing import Recorded
from tests import factory
from tests.cli.ceremonies import phrase_of
from tests.cli.governing import Governor, PlainFolder, control_plane, payload_of
from tests.released import QUORUM, make_tar

PAGE = Path(__file__).parents[2] / "docs" / "guide" / "releases.md"
CONTROL = "http://127.0.0.1:8750"
Capture = pytest.CaptureFixture[str]


class Releaser(Governor):
    """A governor who types the commands of the page in a folder with everybody's keys, and a host's home."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(folder, monkeypatch)
        monkeypatch.chdir(folder)
        self.state_fact(factory.host_enrolled(), "authority-1", "operator-1")
        for name in ("authority-1", "authority-2", "verifier-1"):
            self.key(name)
        self.path("agent.tar").write_bytes(make_tar({"sekisho/__init__.py": b"# 1.0\n"}))
        monkeypatch.setattr("typer.prompt", self._typed)
        self.home = self.path("agent")
        self.home.mkdir(mode=0o700)
        self.home.joinpath("trust.json").write_bytes(canonical(self.root))
        settings = {"host": "host-1", "control": "http://127.0.0.1:9", "run": "run-1"}
        self.home.joinpath("agent.json").write_bytes(canonical(settings))

    def set_clock(self, at: Instant) -> None:
        super().set_clock(at)
        clock = types.SimpleNamespace(now=lambda: at, elapsed_s=lambda: 1.0, boot_id=lambda: "boot")
        self._monkeypatch.setattr("sekisho.agent.installing.SystemClock", lambda: clock)
        # The TUF client reads the system's clock by itself.
        shim = types.SimpleNamespace(
            datetime=types.SimpleNamespace(
                now=lambda _zone: dt.datetime.fromtimestamp(at.seconds, dt.UTC)
            ),
            timezone=dt.timezone,
        )
        place = "tuf.ngclient._internal.trusted_metadata_set.datetime"
        self._monkeypatch.setattr(place, shim)

    def _typed(self, _: str, **__: object) -> str:
        return phrase_of(payload_of(self.path("release.json")))

    def follow(self, line: str) -> None:
        """One line of the page; `|| true` is a signature that is still missing."""
        words = shlex.split(line)[1:]
        expected = 3 if words[-2:] == ["||", "true"] else 0
        words = words[:-2] if expected else words
        if CONTROL not in words:
            assert self.call(*words) == expected, line
            return
        with control_plane() as (url, sent):
            assert self.call(*[url if w == CONTROL else w for w in words]) == 0, line
        self.enter(sent[0])
        self.tell_host()

    def tell_host(self) -> None:
        """What the agent of the home has accepted by now, as it keeps it."""
        store = PlainFolder(self.folder / "log")
        reader = LogReader(store)
        cosigned = reader.load_checkpoint(Policy.from_text(self.root.witnesses))
        lines = []
        for index, raw in enumerate(
            reader.entries(0, cosigned.checkpoint.size, cosigned.checkpoint)
        ):
            kept = Followed(
                kind="any",
                envelope=raw,
                proof=reader.prove(index, cosigned).to_text(),
                seen=self.now,
            )
            row = {
                **msgspec.structs.asdict(kept),
                "envelope": encode_base64(raw),
                "seen": str(self.now),
            }
            lines.append(canonical(row))
        self.home.joinpath("followed.jsonl").write_bytes(b"\n".join(lines) + b"\n")

    def hand_root_over(self) -> None:
        root = self.path("releases") / "metadata" / "1.root.json"
        self.home.joinpath("release-root.json").write_bytes(root.read_bytes())


@pytest.fixture
def releaser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Releaser:
    return Releaser(tmp_path, monkeypatch)


def commands() -> list[str]:
    blocks = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    return [line for block in blocks for line in block.splitlines() if line]


def told(capsys: Capture) -> dict[str, object]:
    document = json.loads(capsys.readouterr().out)
    assert isinstance(document, dict)
    return document


@pytest.mark.slow
def test_every_command_of_the_guide_runs_in_its_order(releaser: Releaser, capsys: Capture) -> None:
    """From the draft to a host that runs it; the quorum over three keys is told to be exact."""
    for line in commands():
        if "agent update" in line:
            releaser.hand_root_over()
        releaser.follow(line)
        if "release start" in line:
            assert "no such number of keys lacks a constituency" in capsys.readouterr().out
    assert (releaser.home / "current" / "sekisho" / "__init__.py").read_text() == "# 1.0\n"
    said = capsys.readouterr().out
    assert "1  1.0" in said
    assert "host-1: enrolled with" in said


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_signer_reads_what_is_released(
    releaser: Releaser, capsys: Capture, language: str
) -> None:
    """Number, version and digest, what it follows, and loudly that it goes back."""
    releaser.language = "ja" if language == "ja" else "en"
    log = ("--log", releaser.log)
    first = ("agent", "release", "draft", "agent.tar", "--version", "1.0", *log)
    assert releaser.call(*first, "--out", "release.json") == 0
    page = capsys.readouterr().out
    assert "1.0" in page
    assert ("first release" in page) is (language == "en")
    releaser.done(
        "charter", releaser.path("release.json"), "authority-1", "authority-2", "verifier-1"
    )
    capsys.readouterr()
    again = ("agent", "release", "draft", "agent.tar", "--version", "1.0", *log)
    assert releaser.call(*again, "--out", "silent.json") == 1
    assert "say why" in capsys.readouterr().err
    assert releaser.call(*again, "--reason", "1.1 leaks", "--out", "undo.json", "--json") == 0
    document = told(capsys)
    assert document["predicate"]["sequence"] == 2  # type: ignore[index]  # a page's document
    assert [w["code"] for w in document["warnings"]] == ["release-undo"]  # type: ignore[attr-defined]  # the same
    assert releaser.call(*again, "--reason", "x", "--sequence", "1", "--out", "old.json") == 1
    assert "not above 1" in capsys.readouterr().err
    assert not releaser.path("old.json").exists()


def test_the_log_takes_no_silent_step_back() -> None:
    """Admission asks for a number above all others, and a reason for bytes that were released before."""
    from sekisho.operations.state import State

    state = State(regime=factory.regime())
    grounds = Grounds(now=factory.NOW, load_pack=lambda _: None)

    def admitted(fact: AgentReleased) -> Recorded:
        recorded = state.verify(factory.signed(fact, *QUORUM).raw)
        check_admission(state, recorded, grounds)
        return recorded

    first = AgentReleased(effective=factory.NOW, version="1", sha256="a" * 64, sequence=2)
    recorded = admitted(first)
    assert unique_keys(recorded) == ("agent-release:2",)
    state = state.after(recorded, {})
    for bad in (
        first,
        msgspec.structs.replace(first, sequence=None, sha256="b" * 64),
        msgspec.structs.replace(first, sequence=1, sha256="b" * 64),
        msgspec.structs.replace(first, sequence=3),
    ):
        with pytest.raises(StateConflict):
            admitted(bad)
    admitted(msgspec.structs.replace(first, sequence=3, reason="2 leaks"))
    admitted(msgspec.structs.replace(first, sequence=3, sha256="b" * 64))


@pytest.mark.parametrize(
    ("keys", "is_exact"),
    [
        ({"authority": 2, "verifiers": 1}, True),
        ({"authority": 3, "verifiers": 1}, False),
        ({"authority": 2, "verifiers": 2}, False),
        ({"": 3}, False),
        ({"authority": 2, "verifiers": 1, "": 1}, False),
    ],
)
def test_what_a_threshold_can_say(keys: dict[str, int], is_exact: bool) -> None:
    """K of n is the charter's quorum only where no k keys lack a constituency."""
    grant = PowerGrant(
        power="publish-agent",
        quorums=(
            QuorumPart(constituency="authority", k=2),
            QuorumPart(constituency="verifiers", k=1),
        ),
    )
    found = express_quorum(grant, keys)
    assert found.threshold == 3
    assert found.is_exact is is_exact


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["start", "r", "--role", "root"], "is not ROLE=FILE.pub"),
        (["start", "r", "--role", "boot=k.pub"], "is not ROLE=FILE.pub"),
        (["start", "r", "--role", "root=k.pub"], "no key for snapshot, targets, timestamp"),
        (["start", "r", "--role", "root=k.pub", "--threshold", "root=0"], "is not ROLE=K"),
        (["cosign", "r"], "nothing is staged"),
        (["refresh", "r"], "holds no root yet"),
        (["publish", "r", "agent.tar", "--statement", "k.pub"], "is no agent-released"),
    ],
)
def test_bad_input_names_its_flag(
    releaser: Releaser, capsys: Capture, words: list[str], complaint: str
) -> None:
    """Exit 2, and the flag or file that is wrong."""
    releaser.path("k.pub").write_text(factory.signer("k").public.to_text())
    assert releaser.call("agent", "release", *words) == 2
    assert complaint in capsys.readouterr().err


def test_a_file_that_the_statement_does_not_release(releaser: Releaser, capsys: Capture) -> None:
    """Nobody publishes other bytes by mistake."""
    fact = AgentReleased(effective=factory.NOW, version="1", sha256="a" * 64, sequence=1)
    releaser.path("release.json").write_bytes(factory.signed(fact, *QUORUM).raw)
    words = ("agent", "release", "publish", "r", "agent.tar", "--statement", "release.json")
    assert releaser.call(*words) == 2
    assert "not the file that the statement releases" in capsys.readouterr().err


def test_update_says_what_is_missing(releaser: Releaser, capsys: Capture) -> None:
    """No repository, no root of trust: exit 2 with the path."""
    update = ("agent", "update", "--home", releaser.home, "--repository")
    assert releaser.call(*update, "nowhere") == 2
    (releaser.path("r") / "metadata").mkdir(parents=True)
    assert releaser.call(*update, "r") == 2
    assert "release-root.json" in capsys.readouterr().err
