"""A real agent with its watchdog and a real training run, against a control plane over HTTP."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from sekisho.adapters.schedulers.watchdog_link import WatchdogLink
from sekisho.agent.main import load_settings, main
from sekisho.model.errors import InvalidInput
from sekisho.model.wire import canonical
from tests.agent.homes import (
    cpu_s,
    license_now,
    living,
    resident_mib,
    wait_until,
    write_further_home,
    write_home,
)
from tests.fakes import FakeControl
from tests.served import SystemFakeClock, served


@pytest.mark.slow
def test_license_pause_and_resume_for_real(tmp_path: Path) -> None:
    """Work starts under a lease, is frozen by a pause, ended by another, and goes on from its checkpoint."""
    control = FakeControl(SystemFakeClock())
    license_now(control)
    with served(control) as url:
        write_home(tmp_path / "home", control, url)
        with living(tmp_path / "home") as alive:
            wait_until(lambda: alive.state() == "running")
            wait_until(lambda: control.stages().count("quantum") >= 2)

            control.issue(control.order())
            wait_until(lambda: alive.state() == "frozen")
            wait_until(lambda: control.stages()[-1] == "final")
            assert control.stages()[-3:] == ["received", "halted", "final"]
            assert resident_mib(alive.agent.pid) < 100
            used, at = cpu_s(alive.agent.pid), time.monotonic()

            resume(control, 1)
            wait_until(lambda: "resumed" in control.stages())
            assert alive.state() == "running"
            assert cpu_s(alive.agent.pid) - used < 0.5 * (time.monotonic() - at) + 0.1

            control.issue(control.order(effect="checkpoint-then-stop", grace_s=5))
            wait_until(lambda: control.stages()[-1] == "final" and alive.state() == "ended")
            assert control.stages()[-4:] == ["received", "checkpointed", "halted", "final"]
            stopped_at = next(r for r in control.receipts if r.stage == "checkpointed").checkpoint
            assert stopped_at is not None

            resume(control, 2)
            wait_until(lambda: control.stages().count("resumed") == 2)
            wait_until(
                lambda: (tmp_path / "home/out/status.json").stat().st_mtime > time.time() - 1
            )
            command = Path(f"/proc/{alive.root_pid()}/cmdline").read_bytes().split(b"\0")
            assert f"checkpoint-{stopped_at.step}.canary" in command[-2].decode()
            spends = [r.spend for r in control.receipts if r.spend is not None]
            assert any(spend.declared_flop not in (None, "0") for spend in spends)
            assert control.codes() == []


def resume(control: FakeControl, number: int) -> None:
    """Lift the pause of that number."""
    lifted = control.book.orders["pause/JP"][number].reference
    control.issue(control.order(kind="resume", effect="lift", lifts=[lifted], on_expiry="lapse"))


def test_the_agent_imports_no_server_no_database_and_no_numbers() -> None:
    """What runs on every host stays small."""
    code = (
        "import sys, sekisho.agent.main\n"
        "heavy = {'numpy', 'litestar', 'sqlalchemy', 'jinja2', 'yaml', 'typer'}\n"
        "found = heavy & {name.partition('.')[0] for name in sys.modules}\n"
        "sys.exit(', '.join(found) or None)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


def test_a_home_that_was_not_enrolled_is_told_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message names the file and the remedy, the exit code is that of bad input."""
    assert main(["--home", str(tmp_path)]) == 2
    assert "agent.json" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("field", "value"), [("cores", 0), ("host", "no spaces allowed"), ("colour", "red")]
)
def test_a_bad_setting_is_named(tmp_path: Path, field: str, value: object) -> None:
    """An unknown, malformed or impossible field is refused with its name."""
    good = {"host": "host-1", "control": "http://127.0.0.1:1", "run": "run-1"}
    (tmp_path / "agent.json").write_bytes(canonical({**good, field: value}))

    with pytest.raises(InvalidInput, match=field):
        load_settings(tmp_path)


def test_a_counter_that_is_gone_is_missed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A home that has begun does not begin to count anew: the agent stops and says what to do."""
    home = tmp_path / "home"
    write_home(home, FakeControl(), "http://127.0.0.1:9")
    (home / "state.json").write_bytes(b"{}")

    assert main(["--home", str(home)]) == 1
    assert "counter" in capsys.readouterr().err
    assert not WatchdogLink(home / "watchdog").is_alive()


def test_a_home_that_cannot_be_written_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file where the home's folder should be: exit code 2, and its name."""
    home = tmp_path / "home"
    write_home(home, FakeControl(), "http://127.0.0.1:9")
    (home / "agent.lock").mkdir()

    assert main(["--home", str(home)]) == 2
    assert "agent.lock" in capsys.readouterr().err


@pytest.mark.slow
def test_two_charters_over_one_host_for_real(tmp_path: Path) -> None:
    """One agent, one watchdog, two control planes: both license, either pauses, each resumes its own."""
    controls = [FakeControl(SystemFakeClock(), name=name) for name in ("A", "B")]
    homes = [tmp_path / "a", tmp_path / "b"]
    with served(controls[0]) as one, served(controls[1]) as other:
        write_home(homes[0], controls[0], one)
        write_further_home(homes[1], controls[1], other)
        with living(homes[0], further=homes[1:]) as alive:
            license_now(controls[0])
            wait_until(lambda: bool(controls[0].requests))
            assert alive.state() == "ended"
            license_now(controls[1])
            wait_until(lambda: alive.state() == "running")

            for control in controls:
                control.issue(control.order())
            wait_until(lambda: all("halted" in control.stages() for control in controls))
            assert alive.state() == "frozen"

            resume(controls[0], 1)
            wait_until(lambda: controls[0].requests[-1].number == 2)
            assert alive.state() == "frozen"
            resume(controls[1], 1)
            wait_until(lambda: all("resumed" in control.stages() for control in controls))
            assert alive.state() == "running"
            assert resident_mib(alive.agent.pid) < 120
            assert [set(control.codes()) for control in controls] == [set(), set()]
