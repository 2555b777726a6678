"""The digest that an enrolment gives of an agent without a release."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sekisho.agent import measuring


def test_one_changed_source_is_another_agent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same sources elsewhere have the same digest; one byte more, and it is another."""
    copy = tmp_path / "agent"
    shutil.copytree(Path(measuring.__file__).parent, copy)
    own = measuring.measure_agent()
    monkeypatch.setattr(measuring, "__file__", str(copy / "measuring.py"))
    assert measuring.measure_agent() == own
    with (copy / "decide.py").open("a") as stream:
        stream.write("\n")
    assert measuring.measure_agent() != own
