"""The systemd units of a host whose watchdog and agent are two users: as text, for people to read before they install.

What a unit forbids, every process forbids that it starts. The watchdog of a driver that starts work can therefore not
be shut off from network, homes and devices, since the work would be too; one that only supervises a group can.
Both parts start from the folder that the link `current` leads to at that moment, so that an update counts from the
next start on; where there is no such link, from what the interpreter has. The link lies where only root may write.
Options: systemd.exec(5), systemd.resource-control(5), systemd.service(5), of version 252 and newer.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

import msgspec

from sekisho.model.errors import InvalidInput
from sekisho.ports.driver_settings import DriverName

__all__ = ["AGENT_UNIT", "WATCHDOG_UNIT", "UnitsPlace", "make_units"]

WATCHDOG_UNIT, AGENT_UNIT = "sekisho-watchdog.service", "sekisho-agent.service"


class UnitsPlace(msgspec.Struct, frozen=True, kw_only=True):
    """Where things lie on the host: `agent_user` is a user's name or number, `starts` whether work is started here.

    `homes`: those of further charters. `counts`: the agent counts NVIDIA devices, so its unit may open them.
    `releases`: where `agent update --into` puts releases, a folder of root's own.
    """

    python: str = "/opt/sekisho/bin/python"
    releases: str = "/opt/sekisho/agent"
    home: str = "/var/lib/sekisho"
    homes: tuple[str, ...] = ()
    watchdog_home: str = "/var/lib/sekisho-watchdog"
    socket: str = "/run/sekisho/watchdog.sock"
    agent_user: str = "sekisho"
    driver: DriverName = "process"
    starts: bool = True
    counts: bool = False


_PLAIN = re.compile(r"/[A-Za-z0-9._/+@-]{0,1023}")

# Both parts: nothing of the kernel is theirs to change.
_BOTH = """\
NoNewPrivileges=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectHostname=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
LimitCORE=0
UMask=0077
WorkingDirectory=/
"""

# No ProtectClock=, PrivateDevices= or DeviceAllow= here: they would take the accelerators from the work.
_STARTS = """\
ProtectSystem=full
ProtectKernelTunables=yes
"""

_SUPERVISES = """\
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateNetwork=yes
RestrictAddressFamilies=AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
MemoryDenyWriteExecute=yes
ProtectKernelTunables=yes
ProtectClock=yes
DevicePolicy=closed
"""

# Schedulers' own commands speak to their controller from here; nothing else does.
_SPEAKS = """\
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=yes
RestrictRealtime=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
ProtectClock=yes
DevicePolicy=closed
"""

# systemd reads `$$` as a dollar. Without a link PYTHONPATH is empty, which Python takes for none.
_START = (
    "/bin/sh -c 'PYTHONPATH=$$(readlink -e {releases}/current); export PYTHONPATH; "
    """exec "$$0" -P -m "$$@"' {python}"""
)

_WATCHDOG = """\
[Unit]
Description=Sekisho watchdog: holds this host's licensed work (privileged part)
Documentation=man:systemd.exec(5)
Before={agent_unit}

[Service]
Type=notify
NotifyAccess=main
# The folder itself and not the link: a late import must not come from another release than the first.
ExecStart={start} sekisho.agent.watchdog --dir {watchdog_home} --socket {socket} --allow-user {agent_user}
# A watchdog that hangs or dies is started again; its work is dead or frozen by then.
Restart=always
RestartSec=1
WatchdogSec=30
TimeoutStopSec=30
KillMode=mixed
Delegate=yes
# root, for other users' processes and their groups; what root does not need for that is taken away.
CapabilityBoundingSet=CAP_KILL CAP_SETUID CAP_SETGID CAP_CHOWN CAP_SYS_RESOURCE
RuntimeDirectory={runtime}
RuntimeDirectoryMode=0755
RuntimeDirectoryPreserve=yes
ReadWritePaths={watchdog_home}
OOMScoreAdjust=-900
{both}{fitting}
[Install]
WantedBy=multi-user.target
"""

_AGENT = """\
[Unit]
Description=Sekisho agent: keeps this host within its licence (network part)
Documentation=man:systemd.exec(5)
After=network-online.target {watchdog_unit}
Wants=network-online.target {watchdog_unit}

[Service]
ExecStart={start} sekisho.agent.main {homes_given}
# Its end ends no work: the watchdog does, when the permit runs out.
Restart=always
RestartSec=1
User={agent_user}
CapabilityBoundingSet=
AmbientCapabilities=
ReadWritePaths={homes_written}
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
ProtectClock=yes
DevicePolicy=closed
DeviceAllow=/dev/tpmrm0 rw
{reads}RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=yes
RestrictRealtime=yes
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
MemoryMax=200M
TasksMax=64
{both}
[Install]
WantedBy=multi-user.target
"""


def make_units(place: UnitsPlace) -> dict[str, str]:
    """Both units by file name.

    Raises InvalidInput where releases lie in the agent's own home: whoever takes the agent over could then replace what
    root starts, or in a path that a unit's line cannot hold.
    """
    releases = PurePosixPath(place.releases)
    if not _PLAIN.fullmatch(place.releases) or ".." in releases.parts:
        raise InvalidInput("is no plain absolute path", path=f"--releases {place.releases[:100]!r}")
    homes = (place.home, *place.homes)
    if any(releases.is_relative_to(home) for home in homes):
        raise InvalidInput(
            "lies in the agent's home, and root would start what is there",
            path=f"--releases {place.releases}",
            remedy="name a folder of root's own, and update with --into",
        )
    words = {
        **msgspec.structs.asdict(place),
        "agent_unit": AGENT_UNIT,
        "watchdog_unit": WATCHDOG_UNIT,
        "runtime": place.socket.removeprefix("/run/").rpartition("/")[0] or "sekisho",
        "start": _START.format(releases=place.releases, python=place.python),
        "both": _BOTH,
        "fitting": _fitting(place),
        "homes_given": " ".join(f"--home {home}" for home in homes),
        "homes_written": " ".join(homes),
        "reads": "DeviceAllow=char-nvidia* rw\n" if place.counts else "",
    }
    return {
        WATCHDOG_UNIT: _WATCHDOG.format(**words),
        AGENT_UNIT: _AGENT.format(**words),
    }


def _fitting(place: UnitsPlace) -> str:
    if place.driver in ("slurm", "kubernetes"):
        return _SPEAKS
    return _STARTS if place.starts else _SUPERVISES
