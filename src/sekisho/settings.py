"""The environment, read once into one frozen value; nothing else reads environment variables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from sekisho.catalogue import Language

__all__ = ["Settings", "choose_language", "load_settings"]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What a person chose outside the command line.

    `home` holds a regime's log, keys and projections; `trust_file` holds the roots that this
    person trusts and lies apart from it, so that removing a home takes no trust with it.
    `pkcs11_lib` is the path of the library through which a hardware module is spoken to.
    `copy` is the address of the log's published copy, without credentials; empty where there is none.
    `database` is where the log's database is, where it is not in the home: a postgresql:// address.
    """

    home: Path
    trust_file: Path
    language: Language = "en"
    debug: bool = False
    run_once: bool = False
    pkcs11_lib: str = ""
    copy: str = ""
    database: str = ""


def choose_language(environment: Mapping[str, str]) -> Language:
    """Japanese where SEKISHO_LANG, else the locale, asks for it; English everywhere else."""
    for name in ("SEKISHO_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        chosen = environment.get(name, "")
        if chosen:
            return "ja" if chosen.lower().startswith("ja") else "en"
    return "en"


def load_settings(environment: Mapping[str, str]) -> Settings:
    """Reads the variables SEKISHO_HOME, _TRUST, _LANG, _DEBUG, _RUN_ONCE, _PKCS11_LIB, _COPY and _DATABASE.

    Folders default to the XDG base directories. An empty variable counts as unset.
    """
    own_trust = environment.get("SEKISHO_TRUST")
    own_home = environment.get("SEKISHO_HOME")
    data = _folder(environment, "XDG_DATA_HOME", ".local/share")
    config = _folder(environment, "XDG_CONFIG_HOME", ".config")
    return Settings(
        home=Path(own_home).expanduser() if own_home else data / "sekisho",
        trust_file=Path(own_trust).expanduser() if own_trust else config / "sekisho/trust.json",
        language=choose_language(environment),
        debug=environment.get("SEKISHO_DEBUG", "") not in {"", "0"},
        run_once=environment.get("SEKISHO_RUN_ONCE", "") not in {"", "0"},
        pkcs11_lib=environment.get("SEKISHO_PKCS11_LIB", ""),
        copy=environment.get("SEKISHO_COPY", ""),
        database=environment.get("SEKISHO_DATABASE", ""),
    )


def _folder(environment: Mapping[str, str], variable: str, below_home: str) -> Path:
    # The XDG specification has relative paths ignored.
    chosen = Path(environment.get(variable, ""))
    if chosen.is_absolute():
        return chosen
    return Path(environment.get("HOME") or "~").expanduser() / below_home
