"""Every error of the house: one root with a stable code, few kinds, one class per attack.

Borders translate: `cli` maps kinds to exit codes, `web` to HTTP status, the catalogue to a person's language.
"""

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "BadSignature",
    "Corrupt",
    "InvalidInput",
    "NotAuthorised",
    "SekishoError",
    "StateConflict",
    "Unavailable",
    "UnknownCriticalField",
    "VerificationError",
]


class SekishoError(Exception):
    """The root of all errors that a person may meet. `code` is stable and may be scripted against."""

    code: ClassVar[str] = "error"

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message}; {self.remedy}" if self.remedy else self.message


class InvalidInput(SekishoError):
    """A foreign document, field or argument is malformed. `path` names where: a file, a line, a field."""

    code = "invalid-input"

    def __init__(self, message: str, *, path: str = "", remedy: str = "") -> None:
        super().__init__(f"{path}: {message}" if path else message, remedy=remedy)
        self.path = path


class NotAuthorised(SekishoError):
    """The signatures at hand do not amount to the power that the act asks for."""

    code = "not-authorised"


class VerificationError(SekishoError):
    """Evidence was checked and is wrong. One subclass per attack or fault, each with its own code."""

    code = "verification-failed"


class BadSignature(VerificationError):
    """A signature does not verify under any key that it could have come from."""

    code = "bad-signature"


class UnknownCriticalField(VerificationError):
    """A statement names as critical a field that this reader does not know (protocol section 1)."""

    code = "unknown-critical-field"


class StateConflict(SekishoError):
    """The act is well formed and authorised, but the state does not allow it (now)."""

    code = "state-conflict"


class Unavailable(SekishoError):
    """Something needed did not answer; nothing was changed; trying again is safe."""

    code = "unavailable"


class Corrupt(SekishoError):
    """What we stored is not what we read. Stop; do not guess; the remedy says how to recover."""

    code = "corrupt"
