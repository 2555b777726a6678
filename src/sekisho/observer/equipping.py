"""Choosing the readers and finders that observer.json names: a part of the observer's wiring."""

from __future__ import annotations

from pathlib import Path

from sekisho.model.errors import InvalidInput
from sekisho.observer.instruments import Panel
from sekisho.observer.process_table import read_process_table
from sekisho.observer.seeing import Surveyor
from sekisho.observer.settings import (
    InstrumentSettings,
    ObserverSettings,
    WorkPlaces,
    parse_settings,
)
from sekisho.ports.driver_settings import SlurmSettings
from sekisho.ports.instruments import Instrument
from sekisho.ports.work_finder import WorkFinder

__all__ = ["equip", "load_settings"]

MAX_SETTINGS = 1 << 20


def load_settings(home: Path) -> ObserverSettings:
    """observer.json of a home; nothing but the process table where there is none. Raises InvalidInput."""
    file = home / "observer.json"
    try:
        with file.open("rb") as source:
            data = source.read(MAX_SETTINGS + 1)
    except FileNotFoundError:
        return ObserverSettings()
    except OSError as error:
        raise InvalidInput(f"cannot be read: {error.strerror}", path=str(file)) from None
    if len(data) > MAX_SETTINGS:
        raise InvalidInput(f"is longer than {MAX_SETTINGS} bytes", path=str(file))
    return parse_settings(data, path=str(file))


def equip(settings: ObserverSettings) -> Surveyor:
    """The eyes that the settings describe. Raises InvalidInput for what cannot be, and opens nothing yet."""
    return Surveyor(
        read_process_table,
        settings=settings,
        panel=Panel([(one, _instrument(one)) for one in settings.instruments]),
        finders=_finders(settings.work),
    )


def _instrument(one: InstrumentSettings) -> Instrument:
    """Imported only where it is named: NVML comes with the extra `agent`, DCGM's table with telemetry."""
    file = Path(one.file) if one.file is not None else None
    if one.instrument == "nvml":
        return _nvml()
    if one.instrument == "dcgm":
        from sekisho.adapters.instruments.dcgm_page import DcgmPage  # noqa: PLC0415

        return DcgmPage(
            file=file, url=one.url, version=one.exporter_version, timeout_s=one.timeout_s
        )
    if one.instrument == "facility-power" and file is not None:
        from sekisho.adapters.instruments.meter_file import FacilityMeter  # noqa: PLC0415

        return FacilityMeter(file, at=one.time_column, value=one.value_column, unit=one.unit)
    return _bmc(one, file)


def _nvml() -> Instrument:
    try:
        from sekisho.adapters.instruments.nvml_rest import NvmlInstrument  # noqa: PLC0415
    except ModuleNotFoundError:
        raise InvalidInput(
            "NVML needs the extra `agent`", path="instruments", remedy="install sekisho[agent]"
        ) from None
    return NvmlInstrument()


def _bmc(one: InstrumentSettings, file: Path | None) -> Instrument:
    from sekisho.adapters.instruments.bmc import PowerFile, RedfishPower  # noqa: PLC0415

    if file is not None:
        return PowerFile(file)
    return RedfishPower(
        one.url or "",
        certificate=one.certificate_sha256 or "",
        user=one.user,
        password_file=Path(one.password_file) if one.password_file is not None else None,
        timeout_s=one.timeout_s,
    )


def _finders(work: WorkPlaces) -> list[WorkFinder]:
    found: list[WorkFinder] = []
    if work.slurm is not None:
        from sekisho.adapters.schedulers.slurm.finding import EveryJob, SlurmFinder  # noqa: PLC0415

        # The gate is the driver's business; an observer only asks.
        settings = SlurmSettings(
            gate="/var/empty", conf=work.slurm.conf, commands=work.slurm.commands
        )
        found.append(EveryJob() if work.slurm.jobs == "all" else SlurmFinder(settings))
    if work.kubernetes is not None:
        from sekisho.adapters.schedulers.kubernetes.api import connect_api  # noqa: PLC0415
        from sekisho.adapters.schedulers.kubernetes.finding import PodFinder  # noqa: PLC0415

        place = work.kubernetes
        found.append(PodFinder(connect_api(place.server, place.token_file, place.ca_file)))
    return found
