"""Attack: a YAML tag that makes the reader's library build an object, or run a command."""

from __future__ import annotations

from pathlib import Path

import pytest

from sekisho.model.errors import InvalidInput
from tests.written_packs import FULL, line_of, read


@pytest.mark.parametrize(
    "tag",
    [
        "!!python/object/apply:os.system [touch ran]",
        "!!python/name:os.system",
        "!!str law",
        "! law",
    ],
)
def test_a_tag_is_refused_and_nothing_runs(
    tag: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fields say what type they have; the file that the command would have made is not there."""
    monkeypatch.chdir(tmp_path)
    text = FULL.replace("standing: law", f"standing: {tag}")
    with pytest.raises(InvalidInput, match="a tag") as caught:
        read(text)
    assert caught.value.path == f"p.yaml:{line_of(text, 'standing:')}"
    assert not list(tmp_path.iterdir())
