"""One objection to a pack, and the shorthand for making one."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

__all__ = ["PackProblem", "Severity", "error", "warning"]

Severity: TypeAlias = Literal["error", "warning"]


class PackProblem(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong in a pack, where, and what to do; a pack with an error is not fit to decide by."""

    severity: Severity
    where: str
    what: str
    remedy: str


def error(where: str, what: str, remedy: str) -> PackProblem:
    """Something that makes an answer wrong or impossible."""
    return PackProblem(severity="error", where=where, what=what, remedy=remedy)


def warning(where: str, what: str, remedy: str) -> PackProblem:
    """Something that a reader should know and a writer may have meant."""
    return PackProblem(severity="warning", where=where, what=what, remedy=remedy)
