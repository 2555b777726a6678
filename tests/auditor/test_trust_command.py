"""`sekisho trust`: the user's own roots, in a file of their own."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from sekisho.adapters.trust_file import change_trust, load_trust
from sekisho.cli.main import call
from sekisho.model.errors import InvalidInput
from sekisho.model.wire import canonical
from sekisho.settings import Settings
from sekisho.signing import TrustRoot
from tests.factory_bundle import Cast

ROOT = Cast().root()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A person who trusts nobody yet."""
    return Settings(home=tmp_path / "home", trust_file=tmp_path / "config" / "trust.json")


def test_a_root_is_added_listed_and_removed(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Adding says in words what is trusted from now on; adding again replaces; removing names the log."""
    policy = tmp_path / "policy.json"
    policy.write_bytes(canonical(ROOT))
    assert call(["trust", "list", "--json"], settings) == 0
    assert json.loads(capsys.readouterr().out) == {"trusted": []}
    for _ in range(2):
        assert call(["trust", "add", str(policy)], settings) == 0
        said = capsys.readouterr().out
        assert ROOT.charter in said
        assert "2 of 2 witnesses" in said
    assert load_trust(settings.trust_file) == (ROOT,)
    assert settings.trust_file.stat().st_mode & 0o077 == 0
    assert call(["trust", "list"], settings) == 0
    assert ROOT.origin in capsys.readouterr().out
    assert call(["trust", "remove", "other.example", "--json"], settings) == 1
    assert call(["trust", "remove", ROOT.origin], settings) == 0
    assert load_trust(settings.trust_file) == ()


def test_a_root_is_added_by_its_three_parts(settings: Settings, tmp_path: Path) -> None:
    """Charter digest, log key and witness policy may come one by one."""
    witnesses = tmp_path / "witnesses"
    witnesses.write_text(ROOT.witnesses)
    parts = ["--charter", ROOT.charter, "--log", ROOT.log, "--witnesses", str(witnesses)]
    assert call(["trust", "add", *parts], settings) == 0
    assert load_trust(settings.trust_file) == (ROOT,)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--charter", ROOT.charter],
        ["{policy}", "--charter", ROOT.charter],
        ["{missing}"],
        ["--charter", "sha256:1", "--log", ROOT.log, "--witnesses", "{witnesses}"],
    ],
)
def test_an_incomplete_root_is_bad_input_and_changes_nothing(
    settings: Settings, tmp_path: Path, arguments: list[str]
) -> None:
    """Half a root is no root."""
    (tmp_path / "policy").write_bytes(canonical(ROOT))
    (tmp_path / "witnesses").write_text(ROOT.witnesses)
    places = {name: str(tmp_path / name) for name in ("policy", "missing", "witnesses")}
    said = [argument.format_map(places) for argument in arguments]
    assert call(["trust", "add", *said], settings) == 2
    assert not settings.trust_file.exists()


def test_a_damaged_trust_file_is_bad_input_and_is_kept(settings: Settings, tmp_path: Path) -> None:
    """What cannot be read is not overwritten."""
    policy = tmp_path / "policy.json"
    policy.write_bytes(canonical(ROOT))
    settings.trust_file.parent.mkdir()
    settings.trust_file.write_text("{")
    assert call(["trust", "add", str(policy)], settings) == 2
    assert settings.trust_file.read_text() == "{"
    with pytest.raises(InvalidInput, match=r"trust\.json"):
        load_trust(settings.trust_file)


def test_changes_at_the_same_time_are_all_kept(tmp_path: Path) -> None:
    """Two writers do not lose each other's roots."""
    path = tmp_path / "trust.json"

    def add(number: int) -> None:
        root = TrustRoot(
            charter=ROOT.charter, log=ROOT.log.replace("log.", f"log{number}."), witnesses=""
        )
        change_trust(path, lambda roots: (*roots, root))

    threads = [threading.Thread(target=add, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({root.origin for root in load_trust(path)}) == 8
