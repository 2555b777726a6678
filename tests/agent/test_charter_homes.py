"""The homes of one agent: each a charter's, the work said once, and every contradiction named."""

from __future__ import annotations

from pathlib import Path

import pytest

from sekisho.agent.charter_homes import load_homes
from sekisho.model.errors import InvalidInput
from sekisho.model.wire import canonical
from tests.fakes import FakeControl


def write(home: Path, name: str, **settings: object) -> Path:
    home.mkdir()
    given = {"host": "host-1", "control": "http://127.0.0.1:1", "run": "run-1", **settings}
    (home / "agent.json").write_bytes(canonical(given))
    (home / "trust.json").write_bytes(canonical(FakeControl(name=name).root))
    return home


def test_two_homes_by_hand_or_by_name_are_the_same(tmp_path: Path) -> None:
    """As `--home` twice, or as `charters` in the first home, a path from there on."""
    one = write(tmp_path / "a", "A", charters=[{"home": "../b"}], command=["work"])
    other = write(tmp_path / "b", "B", host="node-7")
    named = load_homes([one])
    assert [charter.settings.host for charter in named] == ["host-1", "node-7"]
    assert [charter.settings.command for charter in named] == [("work",), ("work",)]
    assert len({charter.name for charter in named}) == 2
    (tmp_path / "a" / "agent.json").write_bytes(
        canonical({"host": "host-1", "control": "http://x", "run": "run-1", "command": ["work"]})
    )
    assert [c.root for c in load_homes([one, other])] == [c.root for c in named]


def test_one_home_is_one_charter(tmp_path: Path) -> None:
    """As ever, named by its log."""
    (alone,) = load_homes([write(tmp_path / "a", "A")])
    assert alone.name == alone.root.origin


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"command": ["other"]}, "command"),
        ({"driver": "cgroup"}, "driver"),
        ({"user": 7}, "user"),
        ({"out": "elsewhere"}, "out"),
        ({"charters": [{"home": "c"}]}, "only the first home"),
    ],
)
def test_another_word_about_the_work_is_refused(
    tmp_path: Path, other: dict[str, object], told: str
) -> None:
    """File and field are named; one work has one command, one driver and one user."""
    homes = [
        write(tmp_path / "a", "A", command=["work"]),
        write(tmp_path / "b", "B", **other),
    ]
    with pytest.raises(InvalidInput, match=told) as refused:
        load_homes(homes)
    assert "b/agent.json" in str(refused.value)


def test_the_same_home_or_charter_twice_is_refused(tmp_path: Path) -> None:
    """Two seats for one charter would be two agents for one host."""
    one = write(tmp_path / "a", "A")
    with pytest.raises(InvalidInput, match="named twice"):
        load_homes([one, tmp_path / "a" / ".." / "a"])
    with pytest.raises(InvalidInput, match="trusts a charter that another one has"):
        load_homes([one, write(tmp_path / "b", "A")])


def test_a_scheduler_s_run_has_one_name(tmp_path: Path) -> None:
    """A job names one run: every charter must know it by that name."""
    part = {"driver": "slurm", "slurm": {"gate": "/var/lib/gate"}}
    homes = [write(tmp_path / "a", "A", **part), write(tmp_path / "b", "B", run="run-2")]
    with pytest.raises(InvalidInput, match="run-1: a job can name one run only"):
        load_homes(homes)
