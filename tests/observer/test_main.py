"""The observer process: real looks at a real process table, under its own key, for halts that prove genuine."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sekisho.model.statements import ObservationMade
from sekisho.model.wire import canonical
from sekisho.observer.main import Observer, main
from sekisho.orders import halt_nonce
from tests.agent.homes import write_key
from tests.factory import VERIFIER
from tests.fakes import FakeControl, Rig, predicates
from tests.served import SystemFakeClock, served

RUN = "observed-run-4711"  # a name that no other process of this machine bears


@pytest.fixture
def halted() -> Rig:
    """A host that says it halted."""
    rig = Rig(run=RUN).started(run=RUN)
    rig.control.issue(rig.control.order())
    rig.run_for(1)
    return rig


@pytest.fixture
def busy() -> Iterator[subprocess.Popen[bytes]]:
    """A process that names the run on its command line and works on."""
    code = "while True: sum(range(10000))"
    with subprocess.Popen([sys.executable, "-c", code, "--run", RUN]) as process:
        time.sleep(0.3)
        yield process
        process.kill()


def observation(control: FakeControl) -> ObservationMade:
    (made,) = predicates(control, "observation-made")
    assert isinstance(made, ObservationMade)
    return made


def watch(rig: Rig) -> ObservationMade:
    """One pass with a short gap between the looks."""
    observer = Observer(
        rig.control, VERIFIER[1], rig.control.root, clock=SystemFakeClock(), gap_s=0.3
    )
    assert observer.pass_once() == 1
    assert observer.pass_once() == 0
    return observation(rig.control)


def test_a_quiet_host_is_stated_as_seen(halted: Rig) -> None:
    """No process of the run, no processor time; the nonce comes from the witnessed tree that it names."""
    made = watch(halted)

    assert made.work_cpu_ms == 0
    assert [reading.running for reading in made.readings] == [0, 0, 0, 0]
    assert made.nonce == halt_nonce(made.after, "host-1", "observe")
    assert made.receipt in halted.control.digests
    assert made.limits


def test_work_that_runs_on_is_stated_as_seen(halted: Rig, busy: subprocess.Popen[bytes]) -> None:
    """Whatever the receipt says: processor time and a running process."""
    made = watch(halted)

    assert made.work_cpu_ms > 0
    assert made.readings[-1].running == 1
    assert not made.other_user
    assert any("same user" in limit for limit in made.limits)


def test_a_halt_of_another_host_is_left_alone(halted: Rig) -> None:
    """Who was told its host looks at no other."""
    observer = Observer(
        halted.control,
        VERIFIER[1],
        halted.control.root,
        clock=SystemFakeClock(),
        host="host-2",
        gap_s=0.0,
    )

    assert observer.pass_once() == 0


def test_a_receipt_under_a_foreign_root_is_not_observed(halted: Rig) -> None:
    """The observer brings its own trust root: another regime's word starts no observation."""
    import msgspec

    foreign = msgspec.structs.replace(halted.control.root, charter="sha256:" + "5" * 64)
    observer = Observer(halted.control, VERIFIER[1], foreign, clock=SystemFakeClock(), gap_s=0.0)

    assert observer.pass_once() == 0
    assert predicates(halted.control, "observation-made") == []


@pytest.mark.slow
def test_the_command_looks_twice_five_seconds_apart(halted: Rig, tmp_path: Path) -> None:
    """`--once` over HTTP, with key and root from its own home."""
    write_key(tmp_path / "observer.pem", VERIFIER[1])
    (tmp_path / "trust.json").write_bytes(canonical(halted.control.root))
    with served(halted.control) as url:
        assert main(["--home", str(tmp_path), "--control", url, "--once"]) == 0

    first, *_, second = observation(halted.control).readings
    assert second.at.since(first.at) >= 5.0


def test_an_observer_without_a_home_is_told_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, and the file that is missing."""
    assert main(["--home", str(tmp_path), "--control", "http://127.0.0.1:9", "--once"]) == 2
    assert "observer.pem" in capsys.readouterr().err


def test_an_observer_without_a_control_plane_says_so(tmp_path: Path) -> None:
    """Exit code 4: try again."""
    control = FakeControl()
    write_key(tmp_path / "observer.pem", VERIFIER[1])
    (tmp_path / "trust.json").write_bytes(canonical(control.root))

    assert main(["--home", str(tmp_path), "--control", "http://127.0.0.1:9", "--once"]) == 4
