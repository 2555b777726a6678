"""Attack: a signature is to be had without the signer having read the document."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.ceremonies import KeyHolder, phrase_of

WRONG = (
    "",
    "yes",
    "ka " * 8,
    " ".join(["kakaka"] * 8),
)


@pytest.mark.parametrize("typed", WRONG)
@pytest.mark.parametrize("as_flag", [True, False])
def test_a_wrong_phrase_signs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: str, *, as_flag: bool
) -> None:
    """Nothing typed, yes, and eight other words: exit 1 each, by flag and at the prompt, and the draft is unchanged."""
    holder = KeyHolder(tmp_path, monkeypatch)
    path = holder.order()
    draft = path.read_bytes()
    command = ("order", "sign", path, "--key", holder.key(), "--log", holder.log)
    if as_flag:
        assert holder.call(*command, "--phrase", typed or " ") == 1
    else:
        assert holder.call(*command, typed=f"{typed}\n") == 1
    assert path.read_bytes() == draft


@pytest.mark.parametrize("change", ["last", "first", "order", "missing", "more"])
def test_a_phrase_that_is_almost_right_signs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """Every word counts, in its place."""
    holder = KeyHolder(tmp_path, monkeypatch)
    path = holder.order()
    words = phrase_of(path.read_bytes()).split()
    changed = {
        "last": [*words[:7], "kakaka"],
        "first": ["kakaka", *words[1:]],
        "order": [words[1], words[0], *words[2:]],
        "missing": words[:7],
        "more": [*words, "kakaka"],
    }[change]
    command = ("order", "sign", path, "--key", holder.key(), "--log", holder.log)
    assert holder.call(*command, "--phrase", " ".join(changed)) == 1
    assert holder.call(*command, "--phrase", " ".join(words)) == 0


def test_an_input_that_ends_before_the_answer_signs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A script without a phrase gets a refusal, not a signature."""
    holder = KeyHolder(tmp_path, monkeypatch)
    path = holder.order()
    draft = path.read_bytes()
    command = ("order", "sign", path, "--key", holder.key(), "--log", holder.log)
    assert holder.call(*command, typed="") == 1
    assert path.read_bytes() == draft
