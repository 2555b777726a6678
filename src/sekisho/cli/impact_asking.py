"""The questionnaire on a terminal: one question at a time, back and forth, saved as it goes."""

from __future__ import annotations

from collections.abc import Callable

from sekisho.catalogue import Language, say
from sekisho.cli.plain_text import tame
from sekisho.model.errors import InvalidInput
from sekisho.rules.impact import Answer, Question, open_questions, progress, read_answer

__all__ = ["Asking"]

_BACK, _STOP = "<", "q"


class Asking:
    """Asks until nothing is left. `ask` shows a prompt and reads a line, `save` keeps what has been answered."""

    def __init__(
        self,
        given: dict[str, Answer],
        language: Language,
        ask: Callable[[str], str],
        tell: Callable[[str], None],
        save: Callable[[dict[str, Answer]], None],
    ) -> None:
        self.given = given
        self.language = language
        self._ask = ask
        self._tell = tell
        self._save = save
        self._left_out: set[str] = set()
        self._history: list[str] = []

    def run(self) -> bool:
        """Whether every question was answered; False where the person stopped before the end."""
        self._tell(say("impact.cli.start", self.language))
        while (question := self._next()) is not None:
            line = self._ask(self._prompt(question)).strip()
            if line == _STOP:
                return False
            if line == _BACK:
                self._step_back()
                continue
            self._take(question, line)
        return True

    def _next(self) -> Question | None:
        known = self.given.keys() | self._left_out
        return next((one for one in open_questions(self.given) if one.id not in known), None)

    def _take(self, question: Question, line: str) -> None:
        if not line:
            self._leave_out(question)
            return
        try:
            answer = read_answer(question, self._chosen(question, line))
        except InvalidInput as error:
            self._tell(say("impact.cli.wrong", self.language, why=tame(str(error))))
            return
        self.given[question.id] = answer
        self._history.append(question.id)
        self._save(self.given)

    def _leave_out(self, question: Question) -> None:
        if not question.optional:
            self._tell(say("impact.cli.required", self.language))
            return
        self._left_out.add(question.id)
        self._history.append(question.id)

    def _step_back(self) -> None:
        """Takes the last answer back; what it had opened stays answered, and counts again if it opens again."""
        if self._history:
            last = self._history.pop()
            self.given.pop(last, None)
            self._left_out.discard(last)
            self._save(self.given)

    def _chosen(self, question: Question, line: str) -> str:
        """Numbers stand for options; several have commas between."""
        if not question.options:
            return line
        parts = [part.strip() for part in line.replace("、", ",").replace("，", ",").split(",")]
        words = [
            question.options[int(part) - 1]
            if part.isdecimal() and 1 <= int(part) <= len(question.options)
            else part
            for part in parts
        ]
        return ",".join(words)

    def _prompt(self, question: Question) -> str:
        done = progress(self.given)
        section = say(f"impact.section.{question.section}", self.language)
        lines = [
            say(
                "impact.cli.progress",
                self.language,
                answered=done.answered,
                open=done.open,
                section=section,
            ),
            say(question.ask_key, self.language),
            f"  ({say(question.why_key, self.language)})",
        ]
        for number, value in enumerate(question.options, 1):
            words = say(question.option_key(value), self.language)
            lines.append(say("impact.cli.options", self.language, number=number, words=words))
        return "\n".join(lines) + f"\n{self._hint(question)}> "

    def _hint(self, question: Question) -> str:
        hints = []
        if question.kind == "yes-no":
            hints.append(say("impact.cli.yes-no", self.language))
        if question.kind == "choices":
            hints.append(say("impact.cli.several", self.language))
        if question.unit:
            hints.append(say(f"impact.unit.{question.unit}", self.language))
        if question.suggestions:
            hints.append(", ".join(question.suggestions))
        if question.optional:
            hints.append(say("impact.cli.optional", self.language))
        return f"[{'; '.join(hints)}] " if hints else ""
