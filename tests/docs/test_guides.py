"""Documents that cannot lie: every Python example runs as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [*sorted((ROOT / "docs" / "guide").glob("*.md")), ROOT / "README.md"]
FENCE = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_example_of_the_page_runs(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each in a fresh namespace, in an empty folder, with nothing prepared."""
    for number, code in enumerate(FENCE.findall(page.read_text(encoding="utf-8")), 1):
        folder = tmp_path / str(number)
        folder.mkdir()
        monkeypatch.chdir(folder)
        exec(compile(code, f"{page.name} example {number}", "exec"), {"__name__": "__main__"})


@pytest.mark.parametrize("room", ["model", "signing", "licensing", "orders"])
def test_a_room_has_a_guide_with_an_example(room: str) -> None:
    """A room that can be used alone says how."""
    text = (ROOT / "docs" / "guide" / f"{room}.md").read_text(encoding="utf-8")
    assert f"sekisho.{room}" in "".join(FENCE.findall(text))
