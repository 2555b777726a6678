from __future__ import annotations

from pathlib import Path

import pytest

from sekisho.adapters.storage.report_files import ReportFiles
from sekisho.model.errors import Corrupt, InvalidInput, StateConflict, Unavailable


def test_reports_are_kept_by_number(tmp_path: Path) -> None:
    """Another opening of the folder finds them; names with any sign are names."""
    files = ReportFiles(tmp_path / "balances")
    assert files.load_all("balance", "a/b:c") == ()
    files.add("balance", "a/b:c", 1, b"one")
    files.add("balance", "a/b:c", 2, b"two")
    again = ReportFiles(tmp_path / "balances")
    assert again.load_all("balance", "a/b:c") == (b"one", b"two")
    assert again.load_all("balance", "a/b:c", after=1) == (b"two",)
    assert again.load_names("balance") == ("a/b:c",)
    assert again.load_names("production") == ()
    assert (tmp_path / "balances").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("number", [1, 3])
def test_a_number_that_is_not_the_next_one_is_refused(tmp_path: Path, number: int) -> None:
    """Nothing is replaced, nothing left out."""
    files = ReportFiles(tmp_path)
    files.add("balance", "osaka", 1, b"one")
    with pytest.raises(StateConflict, match="is not the next one"):
        files.add("balance", "osaka", number, b"other")
    assert files.load_all("balance", "osaka") == (b"one",)


def test_of_two_that_write_one_number_one_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The link never replaces what another process put there meanwhile."""
    files = ReportFiles(tmp_path)
    files.add("balance", "osaka", 1, b"one")
    monkeypatch.setattr(ReportFiles, "_numbered", staticmethod(lambda _: {}))
    with pytest.raises(StateConflict, match="written meanwhile"):
        files.add("balance", "osaka", 1, b"other")
    monkeypatch.undo()
    assert files.load_all("balance", "osaka") == (b"one",)
    assert [path.name for path in (tmp_path / "balance" / "osaka").iterdir()] == ["000001.json"]


def test_an_erased_report_leaves_its_remnant_and_its_number(tmp_path: Path) -> None:
    """No byte of it is left; what comes next is numbered on, and what is not there cannot be erased."""
    files = ReportFiles(tmp_path)
    for number in (1, 2):
        files.add("usage", "acme", number, b"secret")
    files.erase("usage", "acme", 1, b"erased")
    assert files.load_all("usage", "acme") == (b"erased", b"secret")
    assert files.count("usage", "acme") == 2
    assert files.count("usage", "nobody") == 0
    assert [p.name for p in sorted((tmp_path / "usage" / "acme").iterdir())] == [
        "000001.json",
        "000002.json",
    ]
    with pytest.raises(StateConflict, match="no report 3"):
        files.erase("usage", "acme", 3, b"erased")


def test_a_missing_report_is_corrupt(tmp_path: Path) -> None:
    """Somebody took one away."""
    files = ReportFiles(tmp_path)
    for number in (1, 2):
        files.add("balance", "osaka", number, b"x")
    (tmp_path / "balance" / "osaka" / "000001.json").unlink()
    with pytest.raises(Corrupt, match="reports are missing among 1"):
        files.load_all("balance", "osaka")


def test_a_left_over_temporary_file_means_nothing(tmp_path: Path) -> None:
    """A crash while writing leaves the period open."""
    files = ReportFiles(tmp_path)
    files.add("balance", "osaka", 1, b"one")
    (tmp_path / "balance" / "osaka" / ".000002.json.ab12cd34.tmp").write_bytes(b"ha")
    assert files.load_all("balance", "osaka") == (b"one",)
    files.add("balance", "osaka", 2, b"two")
    assert files.load_all("balance", "osaka") == (b"one", b"two")


def test_a_name_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    """Neither the folder above nor one that no disk takes."""
    for name in ("..", ".", "", "x" * 300):
        with pytest.raises(InvalidInput, match="is no name for a folder"):
            ReportFiles(tmp_path).load_all("balance", name)


def test_a_disk_that_refuses_is_unavailable(tmp_path: Path) -> None:
    """With what to do."""
    (tmp_path / "balances").write_bytes(b"in the way")
    with pytest.raises(Unavailable, match="check space and rights"):
        ReportFiles(tmp_path / "balances").add("balance", "osaka", 1, b"one")
