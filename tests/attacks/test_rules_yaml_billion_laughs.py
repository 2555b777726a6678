"""Attack: a few lines of anchors and aliases that unfold into gigabytes, or a loop that never ends."""

from __future__ import annotations

import pytest

from sekisho.model.errors import InvalidInput
from tests.written_packs import FULL, read

LAUGHS = "".join(
    f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]\n" if n else "l0: &l0 [ha, ha, ha]\n"
    for n in range(12)
)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (LAUGHS + FULL, 1),
        (FULL + "rule: &loop [*loop]\n", FULL.count("\n") + 1),
        (FULL.replace("source: law", "<<: *law", 1), None),
    ],
    ids=["laughs", "loop", "merge key"],
)
def test_anchors_and_aliases_are_refused_before_anything_unfolds(
    text: str, line: int | None
) -> None:
    """The first anchor or alias ends the reading, with its line."""
    with pytest.raises(InvalidInput, match="an anchor or alias") as caught:
        read(text)
    assert line is None or caught.value.path == f"p.yaml:{line}"
