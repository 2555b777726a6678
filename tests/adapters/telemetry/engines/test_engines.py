"""Opening engines, what they may do, and what they say when they cannot."""

from __future__ import annotations

import sys
from pathlib import Path

import ibis  # type: ignore[import-untyped]  # it comes without types
import pyarrow as pa  # type: ignore[import-untyped]  # it comes without types
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # it comes without types
import pytest

from sekisho.adapters.telemetry.engines import ENGINES, Engine, EngineSettings, open_engine
from sekisho.adapters.telemetry.engines.facts import Column, devices_in, join_facts, look_at
from sekisho.model.errors import Corrupt, InvalidInput, Unavailable


def test_an_unknown_engine_is_refused_with_the_names_that_there_are() -> None:
    """A misspelt name says what may stand there."""
    with pytest.raises(InvalidInput) as refused:
        open_engine("duck")
    assert all(name in str(refused.value) for name in ENGINES)


@pytest.mark.parametrize(
    ("name", "module", "extra"),
    [
        ("duckdb", "duckdb", "analytics"),
        ("spark", "spark", "spark"),
        ("spark-connect", "spark", "spark"),
    ],
)
def test_a_missing_extra_says_what_to_install(
    name: str, module: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever installed the base learns the one command that is missing."""
    monkeypatch.setitem(sys.modules, f"sekisho.adapters.telemetry.engines.{module}", None)
    with pytest.raises(InvalidInput) as refused:
        open_engine(name)
    assert f"sekisho[{extra}]" in str(refused.value)


def test_duckdb_neither_loads_extensions_nor_lets_its_settings_be_changed(duck: Engine) -> None:
    """What a query would pull in from elsewhere, or loosen, is refused."""
    connection = duck._connection  # type: ignore[attr-defined]  # the port has no such door
    for name in ("autoinstall_known_extensions", "autoload_known_extensions"):
        found = connection.execute("select value from duckdb_settings() where name = ?", [name])
        assert found.fetchall() == [("false",)]
    for text in ("install httpfs", "load httpfs", "set threads = 1"):
        with pytest.raises(Exception, match=r"(?i)extension|config|lock|http"):
            connection.execute(text).fetchall()


@pytest.mark.parametrize(
    "path", ["/data/*.parquet", "/data/[ab].parquet", "https://x.example/a.parquet", "s3://b/a"]
)
def test_duckdb_reads_plain_paths_alone(duck: Engine, path: str) -> None:
    """A pattern would read more than was named, an address would leave the machine."""
    with pytest.raises(InvalidInput):
        duck.read("readings", [path])


def test_a_file_that_is_gone_is_unavailable(duck: Engine, tmp_path: Path) -> None:
    """Retention may have taken it between two questions: asking again is safe."""
    with pytest.raises(Unavailable):
        duck.read("readings", [str(tmp_path / "gone.parquet")])


def test_too_little_memory_says_so(tmp_path: Path) -> None:
    """A question that neither memory nor spilling can hold ends with a remedy."""
    settings = EngineSettings(threads=1, memory_mb=20, spill=str(tmp_path))
    table = pa.table({"k": pa.array([f"{n:032}" for n in range(1_000_000)])})
    given = ibis.table({"k": "string"}, name="given")
    with open_engine("duckdb", settings) as engine:
        engine.take("given", table)
        with pytest.raises(Unavailable) as refused:
            engine.answer(given.aggregate(all=given.k.group_concat()))
    assert "memory" in str(refused.value)


def test_an_engine_leaves_no_spill_folder(tmp_path: Path) -> None:
    """What was spilled goes with the session."""
    with open_engine("duckdb", EngineSettings(spill=str(tmp_path))):
        assert len(list(tmp_path.iterdir())) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_footer_tells_bounds_and_empty_columns(tmp_path: Path) -> None:
    """Over all row groups and files; a column without statistics may hold anything."""
    for name, values, nothing in (
        ("a", [3, None, 9], [None] * 3),
        ("b", [-1, 5, 5], [None, 0, None]),
    ):
        table = pa.table({"x": pa.array(values, pa.int64()), "n": pa.array(nothing, pa.int32())})
        pq.write_table(table, tmp_path / f"{name}.parquet", row_group_size=2)
    pq.write_table(table, tmp_path / "c.parquet", write_statistics=False)
    one, other, mute = (look_at(str(tmp_path / f"{name}.parquet")) for name in "abc")
    both = join_facts([one, other])
    assert one is not None
    assert both is not None
    assert one.columns["x"] == Column(3, 9)
    assert one.is_null("n")
    assert both.columns["x"] == Column(-1, 9)
    assert (both.is_null("n"), both.is_zero("n"), both.is_zero("x")) == (False, True, False)
    assert mute is not None
    assert (mute.highest("x"), mute.is_null("n")) == (None, False)
    assert join_facts([one, None]) is None
    assert look_at(str(tmp_path / "elsewhere.parquet")) is None


def test_a_file_that_is_no_parquet_is_corrupt(tmp_path: Path) -> None:
    """Half a file is named, never read as an empty one."""
    path = tmp_path / "half.parquet"
    path.write_bytes(b"PAR1 and no more")
    with pytest.raises(Corrupt) as refused:
        look_at(str(path))
    assert str(path) in str(refused.value)


def test_devices_are_found_whether_written_as_words_or_numbers(tmp_path: Path) -> None:
    """A dictionary in the file or plain text gives the same names."""
    for name, options in (("a", {"use_dictionary": True}), ("b", {"use_dictionary": False})):
        table = pa.table({"device": pa.array(["y", "x", "y"])})
        pq.write_table(table, tmp_path / f"{name}.parquet", **options)
        assert devices_in([str(tmp_path / f"{name}.parquet")]) == ["x", "y"]


@pytest.mark.spark
def test_connect_asks_for_an_address(connect: Engine) -> None:
    """No address is bad input."""
    assert connect.name == "spark-connect"
    with pytest.raises(InvalidInput):
        open_engine("spark-connect")
