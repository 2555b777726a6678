"""What a site tells its observer, in observer.json: instruments, up to where each rests and why, where work is.

A threshold is a claim about the site: its reason travels with every observation that rests on it. Pure.
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Annotated, Final, Literal

import msgspec

from sekisho.model.errors import InvalidInput
from sekisho.model.statements.shapes import DecimalText, Name
from sekisho.model.wire import from_json, parse_json
from sekisho.ports.instruments import InstrumentKind, Quantity

__all__ = [
    "InstrumentSettings",
    "ObserverSettings",
    "RestLevel",
    "Strangers",
    "WorkPlaces",
    "parse_settings",
]

Path = Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]
Reason = Annotated[str, msgspec.Meta(min_length=8, max_length=300)]
_QUANTITIES: Final[dict[InstrumentKind, tuple[Quantity, ...]]] = {
    "nvml": ("gpu-util", "power"),
    "dcgm": ("gpu-util", "sm-active", "tensor-active", "power"),
    "bmc": ("power",),
    "facility-power": ("power",),
}
# How long after a halt an instrument may still show what was before: a BMC averages, a meter samples now and then.
_READY_AFTER_S: Final[dict[InstrumentKind, int]] = {
    "nvml": 0,
    "dcgm": 0,
    "bmc": 60,
    "facility-power": 120,
}
_FRESH_S: Final[dict[InstrumentKind, int]] = {
    "nvml": 30,
    "dcgm": 60,
    "bmc": 60,
    "facility-power": 180,
}
_PERCENT: Final = Decimal(100)


class RestLevel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Up to which value of a quantity an instrument says "at rest" (percent, power in W), and why that is so here."""

    quantity: Quantity
    value: DecimalText
    reason: Reason


class InstrumentSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One instrument. `stale_s`: older than that, a figure is not of now; `ready_after_s` counts from the receipt.

    `host`: whose devices it measures, where one observer looks into several hosts; None: every host's.
    """

    instrument: InstrumentKind
    at_rest: Annotated[tuple[RestLevel, ...], msgspec.Meta(min_length=1, max_length=4)]
    file: Path | None = None
    url: Path | None = None
    certificate_sha256: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}(?!\n)$")] | None = None
    user: Annotated[str, msgspec.Meta(max_length=128)] = ""
    password_file: Path | None = None
    exporter_version: Annotated[str, msgspec.Meta(max_length=40)] = ""
    time_column: Annotated[str, msgspec.Meta(min_length=1, max_length=80)] = "at"
    value_column: Annotated[str, msgspec.Meta(min_length=1, max_length=80)] = "watts"
    unit: Literal["W", "kW"] = "W"
    stale_s: Annotated[int, msgspec.Meta(ge=1, le=3_600)] | None = None
    ready_after_s: Annotated[int, msgspec.Meta(ge=0, le=3_600)] | None = None
    timeout_s: Annotated[int, msgspec.Meta(ge=1, le=30)] = 5
    host: Name | None = None

    @property
    def settles_s(self) -> int:
        """How long after the receipt its figures may still speak of the time before."""
        known = self.ready_after_s
        return _READY_AFTER_S[self.instrument] if known is None else known

    @property
    def fresh_s(self) -> int:
        """Up to which age its newest figure is of now."""
        return _FRESH_S[self.instrument] if self.stale_s is None else self.stale_s

    @property
    def name(self) -> str:
        return self.instrument


class Strangers(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What of processes that nobody named counts as work: more than `percent` of one processor, or an accelerator.

    Left out are those of `exempt_users` (uids) and below `exempt_groups` (control groups as in /proc/PID/cgroup).
    """

    reason: Reason
    percent: DecimalText | None = None
    exempt_users: Annotated[tuple[int, ...], msgspec.Meta(max_length=256)] = ()
    exempt_groups: Annotated[tuple[Path, ...], msgspec.Meta(max_length=256)] = ()


class SlurmPlace(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`all`: each job of this node counts as work; `named`: those whose comment names the run, as squeue says."""

    jobs: Literal["all", "named"] = "all"
    conf: Path | None = None
    commands: Path | None = None


class KubernetesPlace(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the observer asks for the pods that bear the run's label; empty fields: as inside the cluster."""

    server: Annotated[str, msgspec.Meta(max_length=4096)] = ""
    token_file: Path | None = None
    ca_file: Path | None = None


class WorkPlaces(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where else work is looked for than by the run's name, the processes below it and the driver's control group."""

    groups: Annotated[tuple[Path, ...], msgspec.Meta(max_length=64)] = ()
    slurm: SlurmPlace | None = None
    kubernetes: KubernetesPlace | None = None


class ObserverSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """observer.json as a whole; all of it may be left out. `remember_every_s` 0: nothing is remembered."""

    instruments: Annotated[tuple[InstrumentSettings, ...], msgspec.Meta(max_length=16)] = ()
    work: WorkPlaces = WorkPlaces()
    strangers: Strangers | None = None
    remember_every_s: Annotated[int, msgspec.Meta(ge=0, le=60)] = 2


def parse_settings(data: bytes, *, path: str) -> ObserverSettings:
    """The settings of an observer. Raises InvalidInput with the file and the field."""
    settings = from_json(ObserverSettings, parse_json(data, path=path), path=path)
    for number, one in enumerate(settings.instruments):
        _check(one, f"{path}: instruments[{number}]")
    if settings.strangers is not None and settings.strangers.percent is not None:
        _check_level(Decimal(settings.strangers.percent), f"{path}: strangers.percent", None)
    return settings


def _check(one: InstrumentSettings, path: str) -> None:
    for level in one.at_rest:
        if level.quantity not in _QUANTITIES[one.instrument]:
            shown = ", ".join(_QUANTITIES[one.instrument])
            raise InvalidInput(
                f"{one.instrument} does not show {level.quantity}",
                path=f"{path}.at_rest",
                remedy=f"it shows {shown}",
            )
        whole = None if level.quantity == "power" else _PERCENT
        _check_level(Decimal(level.value), f"{path}.at_rest.{level.quantity}", whole)
    twice = [name for name, count in Counter(r.quantity for r in one.at_rest).items() if count > 1]
    if twice:
        raise InvalidInput(f"{twice[0]} is stated twice", path=f"{path}.at_rest")
    _check_place(one, path)


def _check_level(value: Decimal, path: str, whole: Decimal | None) -> None:
    if value < 0 or (whole is not None and value >= whole):
        raise InvalidInput(
            f"{value} as a level of rest calls everything work or nothing",
            path=path,
            remedy="state what the instrument shows of an idle host",
        )


def _check_place(one: InstrumentSettings, path: str) -> None:
    given = sum(place is not None for place in (one.file, one.url))
    wanted = {"nvml": 0, "dcgm": 1, "bmc": 1, "facility-power": 1}[one.instrument]
    if given != wanted or (one.instrument == "facility-power" and one.file is None):
        remedy = "none" if not wanted else "a file" if one.instrument == "facility-power" else "one"
        raise InvalidInput(
            "is read from a file or from a URL", path=path, remedy=f"name {remedy} of file and url"
        )
    if one.url is not None and one.instrument == "bmc" and one.certificate_sha256 is None:
        raise InvalidInput(
            "a BMC is asked over HTTPS with a pinned certificate",
            path=f"{path}.certificate_sha256",
            remedy="its certificate's SHA-256 in hex, compared at the BMC itself",
        )
