"""What may be said to an emulated device, and what it answers: one JSON line each way."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import msgspec

from sekisho.model.errors import InvalidInput, SekishoError, StateConflict, Unavailable

__all__ = [
    "AskedChallenge",
    "AskedDescribe",
    "AskedLoad",
    "AskedUnload",
    "DeviceAnswer",
    "DeviceRequest",
    "raise_refusal",
    "refuse",
]


class _Asked(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", forbid_unknown_fields=True):
    pass


class AskedDescribe(_Asked, frozen=True, kw_only=True, tag="describe"):
    """Tell the device's name, key, memory and job."""


class AskedLoad(_Asked, frozen=True, kw_only=True, tag="load"):
    """Let a job take `mib` of the memory; where `holder` (a pid) is given, only for as long as that process lives."""

    mib: Annotated[int, msgspec.Meta(ge=1, le=65_536)]
    holder: Annotated[int, msgspec.Meta(ge=1)] | None = None


class AskedUnload(_Asked, frozen=True, kw_only=True, tag="unload"):
    """End the job and release its memory."""


class AskedChallenge(_Asked, frozen=True, kw_only=True, tag="challenge"):
    """Fill the memory for `nonce`, 32 bytes in hexadecimal."""

    nonce: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]


DeviceRequest: TypeAlias = AskedDescribe | AskedLoad | AskedUnload | AskedChallenge


class DeviceAnswer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`code` is empty where the request was done. `envelope` is base64 of the DSSE envelope's bytes."""

    code: str = ""
    message: str = ""
    device: str = ""
    memory_bytes: int = 0
    job_mib: int = 0
    public_key: str = ""
    nonce: str = ""
    digest: str = ""
    envelope: str = ""


_KINDS: dict[str, type[SekishoError]] = {
    kind.code: kind for kind in (InvalidInput, StateConflict, Unavailable)
}


def refuse(error: SekishoError) -> DeviceAnswer:
    """An error as an answer."""
    return DeviceAnswer(code=error.code, message=str(error)[:1000])


def raise_refusal(answer: DeviceAnswer) -> None:
    """The error that the answer carries, raised again on this side."""
    if answer.code:
        raise _KINDS.get(answer.code, Unavailable)(answer.message)
