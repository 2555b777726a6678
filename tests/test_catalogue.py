"""Messages in English and Japanese."""

from __future__ import annotations

import importlib
import pkgutil
import string
from types import ModuleType

import pytest

from sekisho import catalogue
from sekisho.catalogue import MESSAGES, impact, rules, rules_console, say, what_if


def _values(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("key", sorted(MESSAGES))
def test_both_languages_say_something_and_name_the_same_values(key: str) -> None:
    """No message is empty, and a translation neither drops nor invents a value."""
    english, japanese = MESSAGES[key]
    assert english.strip()
    assert japanese.strip()
    assert _values(english) == _values(japanese)


def test_values_are_put_in_and_missing_keys_are_defects() -> None:
    """`say` fills the values in, and raises for a key that nobody wrote."""
    assert say("cli.file", "en", why="gone") == "cannot use this path: gone"
    with pytest.raises(KeyError):
        say("cli.no-such-message", "en")


def test_no_message_stands_in_two_faces() -> None:
    """A key of two files would be one of them by the order of imports."""
    names = [found.name for found in pkgutil.iter_modules(catalogue.__path__)]
    modules = [importlib.import_module(f"{catalogue.__name__}.{name}") for name in names]
    faces = [module for module in modules if hasattr(module, "MESSAGES")]
    assert sum(len(face.MESSAGES) for face in faces) == len(MESSAGES)


@pytest.mark.parametrize("key", ["unsure", "licence"])
def test_an_answer_has_one_japanese_word(key: str) -> None:
    """On the command line, the console, in a letter and in a comparison alike."""
    rooms = ("rules.word", "law.outcome", "law.decision", "impact.outcome", "what-if.word")
    words = {say(f"{room}.{key}", "ja") for room in rooms}
    assert words == {{"unsure": "判断不能", "licence": "要許可"}[key]}


@pytest.mark.parametrize("face", [rules, rules_console, impact, what_if])
def test_rules_have_one_japanese_term_for_each_thing(face: ModuleType) -> None:
    """判断不能, 規則パック, 学習の実行 and 要許可, and no second word for any of them."""
    others = ("判定不能", "要人判断", "規則集", "学習実行", "訓練", "許可が必要")
    told = {key: both[1] for key, both in face.MESSAGES.items()}
    assert {key for key, text in told.items() if any(word in text for word in others)} == set()
