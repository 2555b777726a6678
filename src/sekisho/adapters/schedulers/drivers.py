"""Which driver a name stands for. Each is loaded on first use: a watchdog carries nothing that it does not need."""

# ruff: noqa: PLC0415  # loaded on first use, see above

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from sekisho.model.errors import InvalidInput
from sekisho.ports.driver import HeldDriver
from sekisho.ports.driver_settings import DriverName, DriverSettings

__all__ = ["make_driver"]

_Maker = Callable[[DriverSettings, Path], HeldDriver]


def make_driver(name: DriverName, settings: DriverSettings, folder: Path) -> HeldDriver:
    """The driver of that name, its files in `folder`, which is the driver's alone.

    Raises InvalidInput where the settings do not fit this host, Unavailable where the host refuses.
    """
    maker = _MAKERS.get(name)
    if maker is None:
        raise InvalidInput(f"there is no driver {name} yet", path="driver", remedy="use process")
    return maker(settings, folder)


def _make_process(settings: DriverSettings, folder: Path) -> HeldDriver:
    from sekisho.adapters.schedulers.process import ProcessDriver

    return ProcessDriver(folder, settings.user)


def _make_cgroup(settings: DriverSettings, folder: Path) -> HeldDriver:
    from sekisho.adapters.schedulers.cgroup import CgroupDriver

    if settings.cgroup is None:
        raise InvalidInput(
            "names no group", path="cgroup", remedy='give "cgroup": {"group": "/..."}'
        )
    return CgroupDriver(folder, settings.cgroup, settings.user)


def _make_kubernetes(settings: DriverSettings, folder: Path) -> HeldDriver:
    from sekisho.adapters.schedulers.kubernetes.driver import KubernetesDriver

    if settings.kubernetes is None:
        raise InvalidInput(
            "names no run", path="kubernetes", remedy='give "kubernetes": {"run": "..."}'
        )
    return KubernetesDriver(settings.kubernetes, folder)


def _make_slurm(settings: DriverSettings, folder: Path) -> HeldDriver:
    from sekisho.adapters.schedulers.slurm.driver import SlurmDriver

    if settings.slurm is None:
        raise InvalidInput("names no gate", path="slurm", remedy='give "slurm": {"gate": "/..."}')
    return SlurmDriver(settings.slurm, folder)


_MAKERS: Mapping[str, _Maker] = {
    "process": _make_process,
    "cgroup": _make_cgroup,
    "kubernetes": _make_kubernetes,
    "slurm": _make_slurm,
}
