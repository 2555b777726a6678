"""The environment, read once."""

from __future__ import annotations

from pathlib import Path

import pytest

from sekisho.settings import choose_language, load_settings


def test_nothing_set_gives_the_xdg_defaults() -> None:
    """Home and trust file lie in the XDG folders below HOME, apart from each other."""
    settings = load_settings({"HOME": "/home/k"})
    assert settings.home == Path("/home/k/.local/share/sekisho")
    assert settings.trust_file == Path("/home/k/.config/sekisho/trust.json")
    assert (settings.language, settings.debug, settings.run_once) == ("en", False, False)


def test_own_variables_win_over_xdg_folders() -> None:
    """SEKISHO_HOME and SEKISHO_TRUST win; XDG folders move what they do not name."""
    environment = {"HOME": "/h", "XDG_DATA_HOME": "/d", "XDG_CONFIG_HOME": "/c"}
    assert load_settings(environment).home == Path("/d/sekisho")
    assert load_settings(environment).trust_file == Path("/c/sekisho/trust.json")
    own = load_settings(environment | {"SEKISHO_HOME": "/x", "SEKISHO_TRUST": "/y.json"})
    assert (own.home, own.trust_file) == (Path("/x"), Path("/y.json"))


def test_a_relative_xdg_folder_is_ignored() -> None:
    """The XDG specification has relative paths ignored, so the working folder never matters."""
    assert load_settings({"HOME": "/h", "XDG_DATA_HOME": "d"}).home == Path(
        "/h/.local/share/sekisho"
    )


@pytest.mark.parametrize(
    ("value", "is_on"), [("1", True), ("yes", True), ("0", False), ("", False)]
)
def test_switches_are_off_when_empty_or_0(value: str, *, is_on: bool) -> None:
    """SEKISHO_DEBUG and SEKISHO_RUN_ONCE are on unless empty or 0."""
    settings = load_settings({"SEKISHO_DEBUG": value, "SEKISHO_RUN_ONCE": value, "HOME": "/h"})
    assert (settings.debug, settings.run_once) == (is_on, is_on)


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "ja_JP.UTF-8"}, "ja"),
        ({"LANG": "ja_JP.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "en_GB.UTF-8", "SEKISHO_LANG": "ja"}, "ja"),
        ({"LANG": "ja_JP.UTF-8", "SEKISHO_LANG": "en"}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
    ],
)
def test_language_follows_own_variable_then_locale(
    environment: dict[str, str], language: str
) -> None:
    """SEKISHO_LANG wins over the locale; other languages read English."""
    assert choose_language(environment) == language


def test_address_of_the_published_copy_is_read() -> None:
    """SEKISHO_COPY is kept as it stands; unset or empty means that there is none."""
    address = "s3://bucket/log?region=eu-west-1"
    assert load_settings({"SEKISHO_COPY": address, "HOME": "/h"}).copy == address
    assert load_settings({"SEKISHO_COPY": "", "HOME": "/h"}).copy == ""
    assert load_settings({"HOME": "/h"}).copy == ""


def test_library_of_a_hardware_module_is_read() -> None:
    """SEKISHO_PKCS11_LIB is kept as it stands; unset or empty means that no library is named."""
    settings = load_settings({"SEKISHO_PKCS11_LIB": "/usr/lib/token.so", "HOME": "/h"})
    assert settings.pkcs11_lib == "/usr/lib/token.so"
    assert load_settings({"HOME": "/h"}).pkcs11_lib == ""
