"""What a company is asked, and what it may answer: one question with its kind, its words and what opens it.

Words for people stand in the catalogue: `impact.ask.<id>`, `impact.why.<id>`, `impact.option.<id>.<value>`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

import msgspec

__all__ = ["Answer", "Answers", "Question", "QuestionKind", "Section", "When"]

QuestionKind: TypeAlias = Literal[
    "yes-no", "choice", "choices", "amount", "country", "countries", "text"
]
Section: TypeAlias = Literal["company", "use", "export", "cloud", "hosting", "ownership", "effort"]
# None is "I do not know": it stays unknown in every request, and is never read as no or zero.
# Amounts are decimal strings in the question's unit, countries ISO 3166-1 alpha-2 codes (markets also US-CA, EU).
Answer: TypeAlias = bool | str | tuple[str, ...] | None


class When(msgspec.Struct, frozen=True):
    """An earlier question was answered with one of `values` (of several words one is enough)."""

    question: str
    values: tuple[bool | str, ...]


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a company is asked. An `optional` one changes no verdict when it is left out.

    It is open where every part of `when` is answered so. `unlisted` names a question of a chip's name: this one opens
    where that chip is in no table. `default` is what the estimate takes where nothing was said, marked O. `options` are
    the words of a choice, `suggestions` what a text may well be. `most` is the longest text, or most items of a list.
    """

    id: str
    section: Section
    kind: QuestionKind
    options: tuple[str, ...] = ()
    suggestions: tuple[str, ...] = ()
    unit: str = ""
    when: tuple[When, ...] = ()
    unlisted: str = ""
    optional: bool = False
    default: str = ""
    most: int = 200

    @property
    def ask_key(self) -> str:
        return f"impact.ask.{self.id}"

    @property
    def why_key(self) -> str:
        return f"impact.why.{self.id}"

    def option_key(self, value: str) -> str:
        return f"impact.option.{self.id}.{value}"


class Answers(msgspec.Struct, frozen=True, kw_only=True):
    """What a company answered: by question id; `salt` keeps the digest of so few bits from being guessed."""

    given: Mapping[str, Answer]
    salt: str = ""
