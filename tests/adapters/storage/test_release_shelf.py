"""What stays on a host's shelf of releases, what is taken away, and what is said of a download on its way."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from sekisho.adapters.held_release import hold_release
from sekisho.adapters.storage.release_shelf import ReleaseShelf
from sekisho.agent.installing import Installed
from tests.released import Updating, make_tar

HOLDER = """
import sys
from pathlib import Path
from sekisho.adapters.held_release import hold_release
print(hold_release(Path(sys.argv[1])) is not None, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def updating(tmp_path: Path) -> Updating:
    return Updating(tmp_path)


def take(updating: Updating, sequence: int) -> Installed:
    """One release, made and taken."""
    updating.release(sequence)
    with updating.open() as update:
        done = update.carry_out(update.judge())
    assert done is not None
    return done


def on_disk(updating: Updating) -> list[str]:
    return sorted(path.name for path in (updating.home / "releases").iterdir())


def test_the_current_release_and_two_before_it_stay(updating: Updating) -> None:
    """What is older goes with the update that makes it so; the list still knows every number."""
    gone = [take(updating, sequence).pruned for sequence in range(1, 6)]

    assert gone == [(), (), (), (1,), (2,)]
    assert on_disk(updating) == ["3", "4", "5"]
    listed = json.loads((updating.home / "releases.json").read_bytes())["placed"]
    assert [row["sequence"] for row in listed] == [1, 2, 3, 4, 5]


def test_a_release_that_runs_is_never_taken_away(updating: Updating) -> None:
    """Another process holds release 1, as an agent or watchdog does: it stays until that one has ended."""
    take(updating, 1)
    code = updating.home / "releases" / "1" / "sekisho" / "__init__.py"
    with subprocess.Popen(
        [sys.executable, "-P", "-c", HOLDER, str(code)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as runs:
        assert runs.stdout is not None
        assert runs.stdout.readline() == "True\n"
        assert [take(updating, sequence).pruned for sequence in range(2, 6)] == [(), (), (), (2,)]
        assert code.exists()
        runs.kill()
    assert take(updating, 6).pruned == (1, 3)
    assert on_disk(updating) == ["4", "5", "6"]


def test_whoever_runs_from_no_release_holds_none(tmp_path: Path) -> None:
    """A site's own packaging, and a folder of another name."""
    (tmp_path / "releases" / "next").mkdir(parents=True)

    assert hold_release(Path(__file__)) is None
    assert hold_release(tmp_path / "releases" / "next" / "main.py") is None


def test_what_a_crash_left_while_it_was_taken_away_goes_with_the_next_update(
    updating: Updating, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Moved aside and not emptied yet: no release, and gone once somebody looks again."""
    for sequence in (1, 2, 3):
        take(updating, sequence)
    with monkeypatch.context() as patched:
        patched.setattr("shutil.rmtree", lambda *_, **__: None)
        assert take(updating, 4).pruned == (1,)
    assert len(on_disk(updating)) == 4

    ReleaseShelf(updating.home).close()
    assert on_disk(updating) == ["2", "3", "4"]


def test_a_download_tells_how_far_it_is(updating: Updating) -> None:
    """From nothing to the whole file, never back and never beyond, and nothing of the roles' own files."""
    data = make_tar({"sekisho/a.py": b"#" * 300_000})
    updating.release(1, data)
    heard: list[tuple[int, int]] = []
    with updating.open() as update:
        update.carry_out(update.judge(), lambda done, total: heard.append((done, total)))

    assert {total for _, total in heard} == {len(data)}
    assert [done for done, _ in heard] == sorted(done for done, _ in heard)
    assert (heard[0][0], heard[-1][0]) == (0, len(data))
    assert len(heard) > 3
