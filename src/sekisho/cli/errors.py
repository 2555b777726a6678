"""The error border of the command line: kinds of error become exit codes and words, by table."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Mapping
from typing import Final

import msgspec

from sekisho.catalogue import Language, say, translate
from sekisho.cli.answer import write_json
from sekisho.cli.plain_text import tame
from sekisho.model.errors import (
    Corrupt,
    InvalidInput,
    NotAuthorised,
    SekishoError,
    StateConflict,
    Unavailable,
    VerificationError,
)

__all__ = ["EXIT_CODES", "INTERNAL", "Complaint", "complain", "complaint_of"]

EXIT_CODES: Final[Mapping[type[SekishoError], int]] = {
    InvalidInput: 2,
    NotAuthorised: 1,
    VerificationError: 1,
    StateConflict: 1,
    Unavailable: 4,
    Corrupt: 1,
    SekishoError: 1,
}
# Not one of the contract's codes: a defect of ours must not read as a finding.
INTERNAL: Final = 70


class Complaint(msgspec.Struct, frozen=True, kw_only=True):
    """What a person and a script are told about an error: where, what was wrong, what to do."""

    code: str
    message: str
    path: str = ""
    remedy: str = ""
    exit_code: int


def complaint_of(error: Exception, language: Language) -> Complaint:
    """What to say about an error: one of ours, of the file system, or one that nobody foresaw."""
    if isinstance(error, SekishoError):
        return Complaint(
            code=error.code,
            message=error.message,
            path=error.path if isinstance(error, InvalidInput) else "",
            remedy=translate(error.remedy, language),
            exit_code=next(EXIT_CODES[kind] for kind in type(error).__mro__ if kind in EXIT_CODES),
        )
    if isinstance(error, OSError) and error.filename is not None:
        return _file_complaint(error, language)
    return Complaint(
        code="internal",
        message=say("cli.unexpected", language, kind=type(error).__name__, why=error),
        remedy=say("cli.unexpected.remedy", language),
        exit_code=INTERNAL,
    )


def _file_complaint(error: OSError, language: Language) -> Complaint:
    path = str(error.filename)
    why = error.strerror or type(error).__name__
    return Complaint(
        code=InvalidInput.code,
        message=f"{path}: {say('cli.file', language, why=why)}",
        path=path,
        remedy=say("cli.file.remedy", language),
        exit_code=2,
    )


def complain(complaint: Complaint, language: Language, *, as_json: bool) -> int:
    """Says it on standard error, with `as_json` as a document on standard output too."""
    if as_json:
        fields = ("code", "message", "path", "remedy")
        write_json({"error": {field: getattr(complaint, field) for field in fields}})
    # Messages quote files and answers of strangers: none of it may move the cursor, or pose as a line of ours.
    sys.stderr.write(
        f"{say('cli.error', language)} ({complaint.code}): {tame(complaint.message)}\n"
    )
    if complaint.remedy:
        sys.stderr.write(f"  {say('cli.remedy', language)}: {tame(complaint.remedy)}\n")
    return complaint.exit_code


def print_details(error: Exception) -> None:
    """The traceback, for whoever asked for it with SEKISHO_DEBUG=1."""
    traceback.print_exception(error, file=sys.stderr)
