"""Attack: another text in the place of the base that a reform was written for."""

from __future__ import annotations

import pytest

from sekisho.model.errors import InvalidInput
from sekisho.rules import parse_pack
from tests.written_packs import FULL, overlay_text


@pytest.mark.parametrize(
    "swapped",
    [
        FULL.replace("outcome: licence", "outcome: permit").replace(
            "lifts: [to-concern]", "lifts: []"
        ),
        FULL + "# only a comment\n",
        FULL.replace("\n", "\r\n"),
        "",
    ],
    ids=["other rules", "a comment", "line ends", "nothing"],
)
def test_a_base_with_another_byte_is_refused(swapped: str) -> None:
    """Whatever it says, and before any of it is read as rules."""
    with pytest.raises(InvalidInput) as caught:
        parse_pack(overlay_text(""), "o.yaml", lambda _: swapped.encode())
    assert "SHA-256" in caught.value.message or "holds nothing" in caught.value.message


def test_a_path_in_the_place_of_a_name_is_refused() -> None:
    """Names become file names beside the overlay."""
    for name in ("../full", "/etc/passwd", "full/x", ".full"):
        text = overlay_text("", over=name)
        with pytest.raises(InvalidInput, match="does not fit here"):
            parse_pack(text, "o.yaml", lambda _: FULL.encode())
