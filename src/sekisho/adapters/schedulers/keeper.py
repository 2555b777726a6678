"""The process between the watchdog and the work: it starts the work, and dies with neither.

Run by path with `python -I -S`, so that it starts quickly and reads nothing of the work's environment. Order of work:

1. Read one JSON line from standard input: command, environment, user and group, cgroup folder, groups to join.
2. Become the subreaper (prctl(2)): whatever the work forks, however detached, stays below this process.
3. Fork; the child enters the cgroup, opens its own session, drops to the user for good (no program that it runs
   gives it more, PR_SET_NO_NEW_PRIVS), binds its life to this process with PR_SET_PDEATHSIG and becomes the command.
   SIGUSR1 is ignored until the command asks for it: a checkpoint asked of unready work must not kill it.
4. Tell on standard output `started PID` or `refused WHY`, later `exited CODE` of the command, and at the end
   `ended CPU_SECONDS` once nothing is left below.
5. Standard input at its end means that the watchdog is dead: kill all that is below, then leave.

Killing this process kills the command by PDEATHSIG and the rest by the watchdog, which sees it end.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import select
import signal
import sys
from typing import Any, NoReturn

if __name__ == "__main__":
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120  # before pathlib
    from process_files import (  # type: ignore[import-not-found]  # beside this file when run by path
        kill_all,
        list_processes,
        tree_below,
    )
else:
    from sekisho.adapters.schedulers.process_files import kill_all, list_processes, tree_below

__all__ = ["main"]

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38
LOOK_EVERY_S = 0.2
KILL_TIMEOUT_S = 30.0


def main() -> int:
    """Keep one work until nothing of it is left."""
    order = json.loads(_read_line())
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)  # the os module's own signature
    signal.set_wakeup_fd(wake_write)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    child = _start(order)
    if child is None:
        return 1
    _keep(child, order["cgroup"], wake_read)
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    _tell(f"ended {usage.ru_utime + usage.ru_stime:.6f}")
    return 0


def _start(order: dict[str, Any]) -> int | None:
    failure_read, failure_write = (
        os.pipe()
    )  # both close on exec: an empty read means that the command runs
    me = os.getpid()
    child = os.fork()
    if child == 0:
        try:
            _become(order, me)
        except (OSError, ValueError) as error:
            os.write(failure_write, str(error).encode()[:1000])
        os._exit(127)
    os.close(failure_write)
    why = os.read(failure_read, 1000).decode(errors="replace")
    os.close(failure_read)
    if why:
        os.waitpid(child, 0)
        _tell("refused " + " ".join(why.split()))
        return None
    _tell(f"started {child}")
    return child


def _become(order: dict[str, Any], parent: int) -> NoReturn:
    for folder in [*([order["cgroup"]] if order["cgroup"] else []), *order["enter"]]:
        _enter(folder)
    _be_killable()
    os.setsid()
    output = os.open(order["output"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    user = order["user"]
    if user not in (None, os.geteuid()):
        os.setgroups([])
        os.setresgid(order["gid"], order["gid"], order["gid"])
        os.setresuid(user, user, user)
        # A set-user-id program would shed the life line below, and the user with it.
        _prctl(PR_SET_NO_NEW_PRIVS, 1)
    # After the change of user, which clears it; the check catches a parent that died in between.
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(127)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    command = order["command"]
    os.execvpe(command[0], command, order["environment"])  # noqa: S606  # no shell is what we want


def _enter(cgroup: str) -> None:
    try:
        with open(cgroup + "/cgroup.procs", "w") as file:  # noqa: PTH123  # quick start
            file.write("0")
    except OSError as error:
        raise OSError(f"cgroup: {error}") from None


def _be_killable() -> None:
    """A watchdog that is spared when memory runs out does not spare its work: only what is below 0 is raised."""
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "r+") as file:  # noqa: PTH123  # quick start
        if int(file.read()) < 0:
            file.seek(0)
            file.write("0")


def _keep(child: int, cgroup: str, wake: int) -> None:
    watched = True
    while _reap(child):
        # A look now and then besides: a wake-up that got lost must not keep a dead work alive in the books.
        ready, _, _ = select.select([wake, 0] if watched else [wake], [], [], LOOK_EVERY_S * 5)
        if wake in ready:
            os.read(wake, 512)
        if 0 in ready and not os.read(0, 512):
            watched = False
            _kill_below(cgroup)


def _reap(child: int) -> bool:
    """Take the dead, tell of the command; False once nothing is left below."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return False
        if pid == 0:
            return True
        if pid == child:
            _tell(f"exited {os.waitstatus_to_exitcode(status)}")


def _kill_below(cgroup: str) -> None:
    """The watchdog is dead: nobody is left to thaw, count or permit, so the work ends here."""
    if cgroup:
        with contextlib.suppress(OSError), open(cgroup + "/cgroup.kill", "w") as file:  # noqa: PTH123  # quick start
            file.write("1")
    kill_all(lambda: tree_below(os.getpid(), list_processes()), timeout_s=KILL_TIMEOUT_S)
    with contextlib.suppress(OSError):
        os.rmdir(cgroup)  # noqa: PTH106  # quick start


def _read_line() -> bytes:
    """Byte for byte, so that nothing after the line is taken from the pipe that tells of the watchdog's life."""
    line = bytearray()
    while not line.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte:
            raise SystemExit(1)
        line += byte
    return bytes(line)


def _tell(line: str) -> None:
    with contextlib.suppress(
        OSError
    ):  # nobody listens any more: the end of standard input says what to do
        os.write(1, line.encode() + b"\n")


def _prctl(option: int, value: int) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl {option} was refused")


if __name__ == "__main__":
    sys.exit(main())
