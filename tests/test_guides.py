"""Every Python example of the guide runs as it stands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

GUIDE = Path(__file__).parents[1] / "docs" / "guide"
FENCE = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


def examples() -> list[Any]:
    """Each example with its page and number."""
    found = []
    for page in sorted(GUIDE.glob("*.md")):
        for number, code in enumerate(FENCE.findall(page.read_text(encoding="utf-8")), 1):
            found.append(pytest.param(page.name, code, id=f"{page.name} {number}"))
    return found


@pytest.mark.parametrize(("page", "code"), examples())
def test_an_example_of_the_guide_runs(
    page: str, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In an empty folder, with nothing prepared."""
    monkeypatch.chdir(tmp_path)
    exec(compile(code, page, "exec"), {"__name__": "__main__"})
