"""A software token in a folder of its own: what the tests of hardware modules speak to."""

from __future__ import annotations

import itertools
import os
import subprocess
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp

import msgspec

__all__ = ["Token", "softhsm"]

# Debian's, Fedora's, and where a build of one's own puts it.
_PLACES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
)
_IDS = itertools.count(0x10)


class Token(msgspec.Struct, frozen=True):
    """A token, its PIN, and the library that speaks to it."""

    label: str
    pin: str
    library: str

    def place(self) -> str:
        """An address on it that no test has used yet."""
        return f"hsm:{self.label}/{next(_IDS):02x}"


@lru_cache(maxsize=1)
def softhsm() -> Token:
    """The one token of this process: the library reads its configuration when it is first loaded, and never again."""
    folder = Path(mkdtemp(prefix="softhsm"))
    (folder / "tokens").mkdir()
    conf = folder / "softhsm2.conf"
    conf.write_text(
        f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\nlog.level = ERROR\n"
    )
    os.environ["SOFTHSM2_CONF"] = str(conf)
    token = Token("charter-1", "5678", next(p for p in _PLACES if Path(p).is_file()))
    _start(token.label, token.pin)
    return token


def _start(label: str, pin: str) -> None:
    command = ["softhsm2-util", "--init-token", "--free", "--label", label]
    command += ["--so-pin", "12345678", "--pin", pin]
    subprocess.run(command, check=True, capture_output=True, timeout=30)
