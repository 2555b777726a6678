"""`sekisho agent`: words for what cannot be run, and the units of a host in two parts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sekisho.cli.main import call
from sekisho.model.wire import canonical
from sekisho.settings import Settings
from tests.fakes import FakeControl


def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, trust_file=tmp_path / "trust.json")


GOOD = {"host": "host-1", "control": "http://127.0.0.1:1", "run": "run-1"}


def write_home(folder: Path, **fields: object) -> None:
    (folder / "agent.json").write_bytes(canonical({**GOOD, **fields}))


def write_trust(folder: Path, name: str) -> None:
    (folder / "trust.json").write_bytes(canonical(FakeControl(name=name).root))


@pytest.mark.parametrize("driver", ["cgroup", "slurm", "kubernetes"])
def test_a_driver_that_the_home_does_not_describe_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], driver: str
) -> None:
    """Exit code 4 where its watchdog does not come to life, with the watchdog's own words."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    write_home(home)
    write_trust(home, "A")
    arguments = ["agent", "run", "--driver", driver, "--home", str(home)]

    assert call(arguments, settings(tmp_path)) == 4
    assert driver in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--socket", "/run/x/w.sock"], "go together"),
        (["--allow-user", "1000"], "go together"),
        (["--socket", "/run/x/w.sock", "--allow-user", "no-such-user-here"], "no user"),
        (["--socket", "/run/x/w.sock", "--allow-user", "4294967295"], "uid"),
    ],
)
def test_a_watchdog_for_nobody_is_bad_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    """A socket and whom it is for belong together, and the user must be one."""
    whole = ["agent", "watchdog", "--home", str(tmp_path / "w"), *arguments]

    assert call(whole, settings(tmp_path)) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "w").exists()


def test_the_units_fit_the_home(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They name its socket, its driver decides what the watchdog is forbidden, and a folder takes them as files."""
    place = {"socket": "/run/gate/w.sock"}
    write_home(tmp_path, driver="cgroup", cgroup={"group": "/work.slice"}, watchdog=place)
    asked = ["agent", "units", "--home", str(tmp_path), "--agent-user", "keeper"]

    assert call([*asked, "--json"], settings(tmp_path)) == 0
    units = json.loads(capsys.readouterr().out)
    watchdog = units["sekisho-watchdog.service"]
    assert "--socket /run/gate/w.sock --allow-user keeper" in watchdog
    assert "RuntimeDirectory=gate\n" in watchdog
    assert "PrivateNetwork=yes" in watchdog
    assert f"--home {tmp_path}" in units["sekisho-agent.service"]
    assert call([*asked, "--out", str(tmp_path)], settings(tmp_path)) == 0
    assert (tmp_path / "sekisho-watchdog.service").read_text() == watchdog


def test_units_and_means_know_of_every_charter(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both homes stand in the agent's unit, whether named by hand or in the first; the means name both charters."""
    one, other = tmp_path / "a", tmp_path / "b"
    for home, name in ((one, "A"), (other, "B")):
        home.mkdir()
        write_home(home)
        write_trust(home, name)
    write_home(one, watchdog={"socket": "/run/g/w"}, charters=[{"home": "../b"}])

    assert call(["agent", "units", "--home", str(one), "--json"], settings(tmp_path)) == 0
    agent = json.loads(capsys.readouterr().out)["sekisho-agent.service"]
    assert f"--home {one} --home {other}" in agent
    assert f"ReadWritePaths={one} {other}\n" in agent
    assert call(["agent", "means", "--home", str(one), "--json"], settings(tmp_path)) == 0
    charters = json.loads(capsys.readouterr().out)["charters"]
    assert [charter["host"] for charter in charters] == ["host-1", "host-1"]
    assert len({charter["charter"] for charter in charters}) == 2
    assert call(["agent", "means", "--home", str(one)], settings(tmp_path)) == 0
    assert "2 charters" in capsys.readouterr().out


def test_a_home_that_is_named_in_the_first_is_not_named_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Twice the same charter is bad input, before anything runs."""
    write_home(tmp_path)
    write_trust(tmp_path, "A")
    homes = ["--home", str(tmp_path), "--home", str(tmp_path)]
    assert call(["agent", "run", *homes], settings(tmp_path)) == 2
    assert "named twice" in capsys.readouterr().err


def test_units_for_an_agent_with_its_own_watchdog_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """There is one part only: the message says what to add."""
    write_home(tmp_path)

    assert call(["agent", "units", "--home", str(tmp_path)], settings(tmp_path)) == 2
    assert '"watchdog"' in capsys.readouterr().err


def test_a_home_without_an_agent_in_it_is_bad_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, and the file that is missing."""
    arguments = ["agent", "run", "--home", str(tmp_path)]

    assert call(arguments, settings(tmp_path)) == 2
    assert "agent.json" in capsys.readouterr().err


def test_a_watchdog_makes_no_folder_of_a_mistyped_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without watchdog.json nothing is run, and nothing is made."""
    home = tmp_path / "W9"

    assert call(["agent", "watchdog", "--home", str(home)], settings(tmp_path)) == 2
    assert "watchdog.json" in capsys.readouterr().err
    assert not home.exists()


def test_units_make_the_folder_that_takes_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A new folder is made; a file in its place is bad input that names the option."""
    write_home(tmp_path, driver="cgroup", cgroup={"group": "/w"}, watchdog={"socket": "/run/g/w"})
    asked = ["agent", "units", "--home", str(tmp_path), "--out"]

    assert call([*asked, str(tmp_path / "u")], settings(tmp_path)) == 0
    assert (tmp_path / "u" / "sekisho-agent.service").is_file()
    assert call([*asked, str(tmp_path / "agent.json")], settings(tmp_path)) == 2
    assert "--out" in capsys.readouterr().err


@pytest.mark.parametrize(
    "image", ["bad image; x", "", "UPPER/Path", "a:tag:tag", "a/", "x@sha256:12", "x\n"]
)
def test_what_is_no_image_goes_into_no_manifest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], image: str
) -> None:
    """Bad input that names the option, and nothing is printed."""
    asked = ["agent", "kubernetes", "manifests", "--image", image]

    assert call(asked, settings(tmp_path)) == 2
    told = capsys.readouterr()
    assert "--image" in told.err
    assert told.out == ""


@pytest.mark.parametrize(
    "image", ["sekisho", "localhost:5000/a/b-c_d:1.0", f"r.example/s:1@sha256:{'0' * 64}"]
)
def test_an_image_reference_is_taken(tmp_path: Path, image: str) -> None:
    """Registry with a port, path, tag and digest."""
    asked = ["agent", "kubernetes", "manifests", "--image", image]

    assert call(asked, settings(tmp_path)) == 0


def test_a_check_of_a_cluster_that_is_down_says_try_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 4, not five unverifiable pieces."""
    place = ["--server", "http://127.0.0.1:1"]

    assert call(["agent", "kubernetes", "check", *place], settings(tmp_path)) == 4
    assert capsys.readouterr().out == ""


def test_a_watchdog_in_the_foreground_says_what_to_do_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Which socket belongs into agent.json, where its journal is, and what Ctrl-C does."""
    home = tmp_path / "w"
    home.mkdir(mode=0o700)
    (home / "watchdog.json").write_text('{"driver": "process"}')
    posts: list[object] = []

    def run_watchdog(post: object) -> int:
        posts.append(post)
        return 0

    monkeypatch.setattr("sekisho.agent.watchdog.run_watchdog", run_watchdog)
    assert call(["agent", "watchdog", "--home", str(home)], settings(tmp_path)) == 0
    told = capsys.readouterr().err
    for word in (
        f'"socket": "{home}/watchdog.sock"',
        "sekisho agent run",
        "Ctrl-C",
        "watchdog.log",
    ):
        assert word in told
    assert len(posts) == 1


def test_an_agent_without_its_settings_is_told_what_belongs_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is said of being on duty; the remedy names the page."""
    assert call(["agent", "run", "--home", str(tmp_path)], settings(tmp_path)) == 2
    told = capsys.readouterr().err
    assert "agent.json" in told
    assert "docs/guide/agent.md" in told
    assert "on duty" not in told
