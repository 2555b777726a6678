"""Attack: overlays that lie over each other in a ring, so that reading one never ends."""

from __future__ import annotations

import hashlib

import pytest

from sekisho.model.errors import InvalidInput
from sekisho.model.statements.shapes import PackReference
from sekisho.rules import parse_pack
from tests.written_packs import FULL, finder, overlay_text

LATER = "8" * 64  # a digest that its writer could not know when writing the pack below


def _over(name: str, over: str, digest: str) -> str:
    return overlay_text("", name=name, over=over).replace(
        hashlib.sha256(FULL.encode()).hexdigest(), digest
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_a_pack_over_itself_is_refused() -> None:
    """By its name: no digest of it is looked for."""
    with pytest.raises(InvalidInput, match="a loop of overlays: a over a") as caught:
        parse_pack(_over("a", "a", LATER), "a.yaml", _never)
    assert caught.value.path == "a.yaml:5"
    assert caught.value.remedy


@pytest.mark.parametrize("length", [2, 3, 5])
def test_a_ring_of_overlays_is_refused(length: int) -> None:
    """A over B over A, and longer ones, in the file in which the ring closes."""
    names = "abcdefgh"[:length]
    texts = [_over(names[-1], "a", LATER)]
    for name, over in zip(reversed(names[:-1]), reversed(names[1:]), strict=True):
        texts.append(_over(name, over, _digest(texts[-1])))
    with pytest.raises(InvalidInput, match="a loop of overlays") as caught:
        parse_pack(texts[-1], "a.yaml", finder(*texts))
    assert " over ".join([*names, "a"]) in caught.value.message
    assert caught.value.path == f"{names[-1]}.yaml:5"


def test_a_finder_that_always_finds_the_same_bytes_ends() -> None:
    """The digest of what was asked for is compared, not believed."""
    text = _over("a", "b", LATER)
    with pytest.raises(InvalidInput, match="has the SHA-256"):
        parse_pack(text, "a.yaml", lambda _: text.encode())


def test_a_tower_of_overlays_is_bounded() -> None:
    """Nine files that are no ring."""
    texts, below = [FULL], "full"
    for name in "abcdefgh":
        texts.append(_over(name, below, _digest(texts[-1])))
        below = name
    assert len(parse_pack(texts[-2], "g.yaml", finder(*texts)).over) == 7
    with pytest.raises(InvalidInput, match="more than 8 layers"):
        parse_pack(texts[-1], "h.yaml", finder(*texts))


def _never(_: PackReference) -> bytes | None:
    raise AssertionError("nothing should be looked for")
