"""Where a host's counter lies in its TPM: `tpm.json` of the agent's home, with the secret that steps it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec

from sekisho.adapters.durable_files import replace_file
from sekisho.model.errors import InvalidInput, StateConflict
from sekisho.model.statements.shapes import Digest
from sekisho.model.tpm_papers import TpmName
from sekisho.model.wire import canonical, from_json, parse_json

__all__ = ["TpmSeat"]

_FILE = "tpm.json"
_MAX_BYTES = 4096


class TpmSeat(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An NV index and a persistent attestation key, each with the name it had at enrolment.

    `secret` steps and reads the index: who reads this file can step the counter forwards, never backwards.
    """

    index: Annotated[int, msgspec.Meta(ge=0x01000000, le=0x01FFFFFF)]
    attestation: Annotated[int, msgspec.Meta(ge=0x81000000, le=0x817FFFFF)]
    secret: Digest
    index_name: TpmName
    attestation_name: TpmName

    @classmethod
    def load(cls, home: Path) -> TpmSeat:
        """Raises InvalidInput, naming the file, where it is missing or malformed."""
        path = home / _FILE
        try:
            with path.open("rb") as file:
                data = file.read(_MAX_BYTES)
        except OSError as error:
            raise InvalidInput(
                f"cannot be read: {error.strerror}",
                path=str(path),
                remedy="sekisho agent tpm paper makes it",
            ) from None
        return from_json(cls, parse_json(data, path=str(path)), path=str(path))

    def save(self, home: Path) -> None:
        """Keep it, for the owner only. Raises StateConflict where one stands already: its counter would be lost."""
        path = home / _FILE
        if path.exists():
            raise StateConflict(
                f"{path} stands already",
                remedy="an agent that begins anew begins with an empty home",
            )
        # Crash here: the TPM has an index that nothing refers to; the next attempt names another one.
        replace_file(path, canonical(self))
