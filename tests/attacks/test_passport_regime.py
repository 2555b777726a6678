"""A passport of another regime: true under its own log, and worth nothing under the reader's root."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from sekisho.adapters.storage import FileTileStore
from sekisho.cli.main import call
from sekisho.model.wire import canonical
from sekisho.operations.register.verifying import seen_in_entries, seen_in_log
from sekisho.registry.passport import Passport
from sekisho.registry.passport_check import judge_passport
from sekisho.settings import load_settings
from sekisho.signing import TrustRoot
from tests.chip_stories import GPU, chip_regime
from tests.regime import LiveRegime


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LiveRegime, LiveRegime]]:
    with (
        chip_regime(tmp_path_factory.mktemp("own")) as own,
        chip_regime(tmp_path_factory.mktemp("other")) as other,
    ):
        yield own, other


def passport_of(regime: LiveRegime) -> Passport:
    found = regime.control.papers.passport(GPU[0], now=regime.now)
    assert found is not None
    return found


def verify(passport: Passport, root: TrustRoot, folder: Path) -> tuple[int, dict[str, object]]:
    """What the command says of the file under this root, with nothing else at hand."""
    (folder / "passport.json").write_bytes(passport.to_bytes())
    (folder / "policy.json").write_bytes(canonical(root))
    settings = load_settings(
        {"SEKISHO_HOME": str(folder / "none"), "SEKISHO_TRUST": str(folder / "t")}
    )
    files = [str(folder / "passport.json"), "--policy", str(folder / "policy.json")]
    held = io.BytesIO()
    stream = io.TextIOWrapper(held, encoding="utf-8")
    with contextlib.redirect_stdout(stream):
        code = call(["registry", "passport", "verify", *files, "--json"], settings)
    stream.flush()
    return code, json.loads(held.getvalue())


def test_a_passport_of_another_regime_with_the_same_origin_fails(
    two: tuple[LiveRegime, LiveRegime], tmp_path: Path
) -> None:
    """Another log that bears the same name is another log: its entries do not verify under the reader's root."""
    own, other = two
    foreign, root = passport_of(other), own.control.root
    by_entries = judge_passport(foreign, seen_in_entries(foreign, root))
    assert by_entries.verdict == "fails"
    by_log = judge_passport(foreign, seen_in_log(FileTileStore(own.control.home.public), root))
    assert by_log.verdict == "fails"
    assert verify(foreign, root, tmp_path)[0] == 1
    assert verify(passport_of(own), root, tmp_path)[0] == 0


def test_a_passport_of_an_unknown_log_is_unverifiable(
    two: tuple[LiveRegime, LiveRegime], tmp_path: Path
) -> None:
    """No root of the reader's is for its log: neither true nor false."""
    own, _ = two
    stranger = msgspec.structs.replace(passport_of(own), log="elsewhere.example/log")
    code, said = verify(stranger, own.control.root, tmp_path)
    assert (code, said["verdict"]) == (3, "unverifiable")


def test_foreign_entries_cannot_carry_own_lines(two: tuple[LiveRegime, LiveRegime]) -> None:
    """Exchanging the entries for those of another regime leaves every line without its log."""
    own, other = two
    mixed = msgspec.structs.replace(passport_of(own), entries=passport_of(other).entries)
    judged = judge_passport(mixed, seen_in_entries(mixed, own.control.root))
    assert judged.verdict != "holds"
    assert {line.verdict for line in judged.lines} <= {"fails", "unverifiable"}
