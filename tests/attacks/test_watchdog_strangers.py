"""Attacks on a host's privileged part: strangers, long messages, lying agents, hostile work, planted files."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sekisho.adapters.local_sockets import CLIENT_PATIENCE_S, ask_line
from sekisho.adapters.schedulers.process_files import list_processes, tree_below
from sekisho.adapters.schedulers.watchdog_link import WatchdogLink
from sekisho.model.errors import InvalidInput, Unavailable
from sekisho.model.wire import canonical
from tests.adapters.schedulers.groups import is_alive, wait_until
from tests.users import AGENT, PYTHON, STRANGER, WORKER, identity_of, open_folder
from tests.watchdogs import Privileged, permit_for, privileged, start_line

pytestmark = pytest.mark.users

STATUS = b'{"do":"status"}'
SPIN = "while True: pass"
CROWDS = """
import socket, sys, time
ways = [socket.socket(socket.AF_UNIX) for _ in range(40)]
for way in ways:
    way.settimeout(0.5)
    try: way.connect(sys.argv[1])
    except OSError: pass
print('there', flush=True); time.sleep(30)
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder of root that others may enter."""
    with open_folder() as made:
        yield made


@pytest.fixture
def watchdog(folder: Path) -> Iterator[Privileged]:
    """A privileged watchdog of the process driver."""
    with privileged(folder) as made:
        yield made


def test_stranger_on_the_socket(watchdog: Privileged) -> None:
    """Only the agent's user and root are heard: the kernel keeps a stranger, and the work's user, from connecting."""
    assert watchdog.ask(STRANGER, STATUS) == ["PermissionError"]
    assert watchdog.ask(WORKER, STATUS, b'{"do":"kill"}') == ["PermissionError"] * 2
    assert json.loads(watchdog.ask(AGENT, STATUS)[0])["reading"]["state"] == "ended"
    assert watchdog.link.read().state == "ended"


def test_stranger_on_an_open_socket(watchdog: Privileged) -> None:
    """Where the file's mode lets everybody connect, the peer's credentials still refuse, before a byte is read."""
    watchdog.socket.chmod(0o666)
    told = watchdog.ask(STRANGER, STATUS, b'{"do":"quit"}')
    assert set(told) <= {"nothing", "ConnectionResetError", "BrokenPipeError"}
    assert watchdog.link.read().state == "ended"
    assert watchdog.process.poll() is None


def test_a_crowd_of_strangers(watchdog: Privileged) -> None:
    """Strangers who connect and say nothing keep nobody out, and the permit is enforced on time."""
    watchdog.socket.chmod(0o666)
    crowd = [
        subprocess.Popen(
            [PYTHON, "-c", CROWDS, str(watchdog.socket)],
            stdout=subprocess.PIPE,
            cwd="/",
            **identity_of(STRANGER),
        )
        for _ in range(3)
    ]
    try:
        for stranger in crowd:
            assert stranger.stdout is not None
            assert stranger.stdout.readline() == b"there\n"
        told = watchdog.ask(AGENT, start_line(SPIN, 1.0))
        work = json.loads(told[0])["workload"]["root_pid"]
        wait_until(lambda: not is_alive(work))
    finally:
        for stranger in crowd:
            stranger.kill()
            stranger.communicate()


def test_oversized_message(watchdog: Privileged) -> None:
    """A line over 16 KiB, one without an end and one of deep brackets do nothing but end their connection."""
    for line in (b" " * 40_000, b'{"do":"status","x":"' + b"a" * 16_300 + b'"}', b"[" * 16_000):
        told = watchdog.ask(AGENT, line)[0]
        assert (
            told in {"nothing", "ConnectionResetError", "BrokenPipeError"}
            or json.loads(told)["code"] == "invalid-input"
        )
    way = socket.socket(socket.AF_UNIX)
    with way:
        way.connect(str(watchdog.socket))
        way.sendall(b"x" * 100)  # and never a line end
        begun = time.monotonic()
        assert watchdog.link.read().state == "ended"
        assert time.monotonic() - begun < CLIENT_PATIENCE_S  # for it nobody waited
    assert watchdog.process.poll() is None


def test_agent_that_lies_about_its_permit(folder: Path) -> None:
    """A permit for ever, for longer than the settings allow, or that is no number is refused, and nothing starts."""
    with privileged(folder, longest_permit_s=5.0) as watchdog:
        for seconds in (6.0, 86_400.0 * 365):
            assert "that are allowed" in watchdog.ask(AGENT, start_line(SPIN, seconds))[0]
        for text in (b"1e400", b"NaN", b"Infinity", b"null", b'"60"'):
            line = b'{"do":"permit","permit":{"checkpoint_at_s":0,"until_s":' + text
            assert '"invalid-input"' in watchdog.ask(AGENT, line + b',"then":"freeze"}}')[0]
        assert watchdog.link.held() is None
        work = json.loads(watchdog.ask(AGENT, start_line(SPIN, 1.5))[0])["workload"]["root_pid"]
        with pytest.raises(InvalidInput, match="that are allowed"):
            watchdog.link.permit(permit_for(3600.0))
        wait_until(lambda: not is_alive(work))
        wait_until(lambda: watchdog.journal() == ["permit ran out, kill"])


def test_second_agent_at_once(watchdog: Privileged) -> None:
    """While one process of the agent's user speaks, another is refused with the reason; after its end it is heard."""
    first = watchdog.client(AGENT, STATUS, stay_s=30)
    assert first.stdout is not None
    assert b"reading" in first.stdout.readline()
    told = watchdog.ask(AGENT, STATUS, start_line(SPIN), b'{"do":"kill"}')
    assert [json.loads(line)["code"] for line in told] == ["state-conflict"] * 3
    assert f"process {first.pid}" in told[0]
    first.kill()
    first.communicate()
    assert "reading" in watchdog.ask(AGENT, STATUS)[0]


def test_agent_that_asks_for_another_user(watchdog: Privileged) -> None:
    """Who the work runs as is not the agent's to say: there is no such field, and the third user it is."""
    line = json.loads(
        start_line("import os; print(os.getresuid(), os.getresgid(), os.getgroups())")
    )
    assert '"invalid-input"' in watchdog.ask(AGENT, json.dumps({**line, "user": 0}).encode())[0]
    watchdog.ask(AGENT, json.dumps(line).encode())
    wait_until(lambda: watchdog.link.held() is None)
    log = (watchdog.home / "work.log").read_text()
    assert log == f"{(WORKER,) * 3} {(WORKER,) * 3} []\n"


KILLS = """
import os, signal, sys, time
told = []
for pid in {pids}:
    for number in (signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM):
        try:
            os.kill(pid, number); told.append(str(pid))
        except OSError as error:
            told.append(type(error).__name__)
print(sorted(set(told)), flush=True)
while True: time.sleep(1)
"""


def test_work_that_kills_its_keeper(watchdog: Privileged) -> None:
    """Work of a third user can signal neither its keeper nor the watchdog, and goes on under its permit."""
    code = KILLS.replace("{pids}", f"(os.getppid(), {watchdog.process.pid})")
    held = json.loads(watchdog.ask(AGENT, start_line(code))[0])["workload"]
    wait_until(lambda: (watchdog.home / "work.log").read_text() != "")
    assert (watchdog.home / "work.log").read_text() == "['PermissionError']\n"
    assert watchdog.link.read().state == "running"
    assert is_alive(held["root_pid"])


def test_work_that_regains_rights(watchdog: Privileged) -> None:
    """No set-user-id program gives the work more than its user has, so none can shed the line to its keeper."""
    code = "print(open('/proc/self/status').read(), flush=True)"
    watchdog.ask(AGENT, start_line(code))
    wait_until(lambda: watchdog.link.held() is None)
    assert "NoNewPrivs:\t1" in (watchdog.home / "work.log").read_text()


ESCAPES = """
import glob, os, time
told = []
for place in glob.glob('/sys/fs/cgroup/**/cgroup.procs', recursive=True):
    try:
        open(place, 'w').write('0'); told.append(place)
    except OSError:
        pass
for place in glob.glob('/sys/fs/cgroup/unified', recursive=False) + ['/sys/fs/cgroup']:
    try:
        os.mkdir(place + '/escaped'); told.append(place)
    except OSError:
        pass
print(told, flush=True)
if os.fork() == 0:
    os.setsid()
    os.fork()
while True: time.sleep(0.1)
"""


def test_cgroup_escape(watchdog: Privileged) -> None:
    """Work of a third user finds no group to go to; detached children stay below the keeper and die with the rest."""
    held = json.loads(watchdog.ask(AGENT, start_line(ESCAPES))[0])["workload"]
    wait_until(lambda: watchdog.link.read().processes == 3)
    assert (watchdog.home / "work.log").read_text() == "[]\n"
    pids = [p.pid for p in tree_below(watchdog.process.pid, list_processes())]
    assert held["root_pid"] in pids
    watchdog.link.kill()
    wait_until(lambda: not any(is_alive(pid) for pid in pids))


def inet_sockets(pid: int) -> list[str]:
    """Every socket that the process holds and that the kernel lists under an internet protocol."""
    known = set()
    for name in ("tcp", "tcp6", "udp", "udp6", "raw", "raw6"):
        for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]:
            known.add(line.split()[9])
    held = []
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        target = str(entry.readlink()) if entry.exists() or entry.is_symlink() else ""
        if target.startswith("socket:[") and target[8:-1] in known:
            held.append(target)
    return held


def test_the_privileged_part_holds_no_internet_socket(watchdog: Privileged) -> None:
    """At rest, with work and after a stop; nor has it loaded what speaks over a network."""
    assert inet_sockets(watchdog.process.pid) == []
    watchdog.ask(AGENT, start_line(SPIN))
    keepers = [p.pid for p in tree_below(watchdog.process.pid, list_processes())][:1]
    assert [inet_sockets(pid) for pid in (watchdog.process.pid, *keepers)] == [[], []]
    watchdog.link.kill()
    assert inet_sockets(watchdog.process.pid) == []
    with socket.socket() as way:  # what we look with sees one where there is one
        way.bind(("127.0.0.1", 0))
        way.listen()
        assert f"socket:[{os.fstat(way.fileno()).st_ino}]" in inet_sockets(os.getpid())


def refused(watchdog: list[str]) -> str:
    done = subprocess.run(watchdog, capture_output=True, text=True, check=False, timeout=20)
    assert done.returncode == 2
    return done.stderr


def test_planted_folders_and_settings(folder: Path) -> None:
    """A folder that the agent can write to, settings that are a link or open, a work user who is the agent: refused."""
    with privileged(folder) as made:
        command = made.command()
    settings = made.home / "watchdog.json"

    made.run.chmod(0o777)
    assert "may write" in refused(command)
    made.run.chmod(0o755)
    os.chown(made.run, AGENT, AGENT)
    assert f"belongs to user {AGENT}" in refused(command)
    os.chown(made.run, 0, 0)

    settings.chmod(0o666)
    assert "others may write it" in refused(command)
    settings.chmod(0o600)
    os.chown(settings, AGENT, AGENT)
    assert "others may write it" in refused(command)
    os.chown(settings, 0, 0)

    for user in (0, AGENT):
        settings.write_bytes(canonical({"user": user}))
        assert "third user" in refused(command)
    settings.write_bytes(canonical({}))
    assert "names no user" in refused(command)
    settings.unlink()
    settings.symlink_to("/etc/hostname")
    assert "watchdog.json" in refused(command)


def test_a_socket_within_the_closed_folder_is_refused(folder: Path) -> None:
    """The watchdog's folder is closed to the agent, so its socket lies elsewhere."""
    with privileged(folder) as made:
        command = made.command()
    command[command.index("--socket") + 1] = str(made.home / "w.sock")
    assert "outside" in refused(command)


IMPOSTOR = """
import os, socket, sys
way = socket.socket(socket.AF_UNIX)
way.bind(sys.argv[1])
os.chmod(sys.argv[1], 0o666)
way.listen()
print("there", flush=True)
while True:
    one, _ = way.accept()
    if one.recv(999):
        one.sendall(b'{"means":"signal-kill"}\\n')
    one.close()
"""


def test_an_impostor_at_the_socket(folder: Path) -> None:
    """An agent believes only root, itself, or the user that it was told: anybody else's answers are not read."""
    place = folder / "theirs"
    place.mkdir()
    os.chown(place, STRANGER, STRANGER)
    path = place / "watchdog.sock"
    command = [PYTHON, "-c", IMPOSTOR, str(path)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, cwd="/", **identity_of(STRANGER)
    ) as impostor:
        try:
            assert impostor.stdout is not None
            impostor.stdout.readline()
            with pytest.raises(Unavailable, match="another user"):
                WatchdogLink(folder, socket=path).kill()
            with pytest.raises(Unavailable, match="another user"):
                ask_line(path, STATUS, timeout_s=5, answered_by=AGENT)
            assert b"kill" in ask_line(path, STATUS, timeout_s=5, answered_by=STRANGER)
        finally:
            impostor.send_signal(signal.SIGKILL)
