"""What may be said to a watchdog, and what it answers: one JSON line each way, of these shapes and no other."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec

from sekisho.model.errors import (
    Corrupt,
    InvalidInput,
    NotAuthorised,
    SekishoError,
    StateConflict,
    Unavailable,
)
from sekisho.ports.driver import CapMeans, Permit, StopMeans, Workload, WorkloadReading
from sekisho.ports.driver_settings import DriverName

__all__ = [
    "About",
    "Answer",
    "AskedAbout",
    "AskedCap",
    "AskedCheckpoint",
    "AskedFreeze",
    "AskedHeld",
    "AskedKill",
    "AskedPermit",
    "AskedQuit",
    "AskedStart",
    "AskedStatus",
    "AskedThaw",
    "Request",
    "raise_refusal",
    "refuse",
]

_Argument = Annotated[str, msgspec.Meta(max_length=4096, pattern=r"^[^\x00]*$")]
_Run = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,127}$")]


class AskedStart(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    tag_field="do",
    tag="start",
    forbid_unknown_fields=True,
):
    """Start `command` under `permit`, which must still be live."""

    run: _Run
    command: Annotated[tuple[_Argument, ...], msgspec.Meta(max_length=256)]  # none: a run is opened
    environment: Annotated[dict[_Argument, _Argument], msgspec.Meta(max_length=256)]
    permit: Permit


class AskedPermit(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    tag_field="do",
    tag="permit",
    forbid_unknown_fields=True,
):
    """From now on this permit holds; the newest word wins, a shorter one too."""

    permit: Permit


class AskedCap(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    tag_field="do",
    tag="cap",
    forbid_unknown_fields=True,
):
    """Leave the work so many millionths of the processor time; all of them lift the cap."""

    share_ppm: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]


class _Bare(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", forbid_unknown_fields=True):
    pass


class AskedStatus(_Bare, frozen=True, kw_only=True, tag="status"):
    """Tell what the work is doing."""


class AskedHeld(_Bare, frozen=True, kw_only=True, tag="held"):
    """Tell which work is held, and under which permit."""


class AskedCheckpoint(_Bare, frozen=True, kw_only=True, tag="checkpoint"):
    """Ask the work for a checkpoint."""


class AskedFreeze(_Bare, frozen=True, kw_only=True, tag="freeze"):
    """Stop the work where it stands."""


class AskedThaw(_Bare, frozen=True, kw_only=True, tag="thaw"):
    """Let frozen work go on; refused without a live permit."""


class AskedKill(_Bare, frozen=True, kw_only=True, tag="kill"):
    """End the work."""


class AskedAbout(_Bare, frozen=True, kw_only=True, tag="about"):
    """Tell which driver is held and how long a stop may take."""


class AskedQuit(_Bare, frozen=True, kw_only=True, tag="quit"):
    """Leave; refused while work is held."""


Request: TypeAlias = (
    AskedStart
    | AskedPermit
    | AskedStatus
    | AskedHeld
    | AskedCheckpoint
    | AskedFreeze
    | AskedThaw
    | AskedKill
    | AskedAbout
    | AskedCap
    | AskedQuit
)


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What a watchdog says of itself: its driver, the worst case of a stop, the longest permit that it takes."""

    driver: DriverName
    stop_time_s: float
    longest_permit_s: float


class Answer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`code` is empty where the request was done; else the code of an error of model.errors with its message."""

    code: Literal[
        "", "invalid-input", "state-conflict", "unavailable", "not-authorised", "corrupt"
    ] = ""
    message: str = ""
    remedy: str = ""
    reading: WorkloadReading | None = None
    workload: Workload | None = None
    permit: Permit | None = None
    means: StopMeans | None = None
    cap: CapMeans | None = None
    about: About | None = None


_KINDS: dict[str, type[SekishoError]] = {
    kind.code: kind for kind in (InvalidInput, StateConflict, Unavailable, NotAuthorised, Corrupt)
}


def refuse(error: SekishoError) -> Answer:
    """An error as an answer."""
    code = error.code if error.code in _KINDS else "unavailable"
    return msgspec.convert(
        {"code": code, "message": error.message[:1000], "remedy": error.remedy[:1000]}, Answer
    )


def raise_refusal(answer: Answer) -> None:
    """The error that the answer carries, raised again on this side."""
    if answer.code:
        raise _KINDS[answer.code](answer.message, remedy=answer.remedy)
