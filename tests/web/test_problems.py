"""The error border: which status and headers an error of ours leaves with."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from sekisho.ledger.line import Overloaded
from sekisho.model.errors import Corrupt, SekishoError, StateConflict, Unavailable
from sekisho.ports.log_store import Taken
from sekisho.web.problems import PROBLEM_TYPE, problem_of, respond_with_problem
from tests.regime import LiveRegime
from tests.web.test_api import _finding


def answered(error: Exception) -> Any:
    """The answer to an error, without a request that matters."""
    return respond_with_problem(None, error)  # type: ignore[arg-type]  # it is not looked at


def test_an_overloaded_log_asks_to_come_again() -> None:
    """429 with the seconds that the error names, and a problem that a program can read."""
    answer = answered(Overloaded("9000 submissions wait already", retry_after_s=7))
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.media_type == PROBLEM_TYPE
    problem = msgspec.json.decode(answer.content)
    assert (problem["code"], problem["status"]) == ("overloaded", 429)
    assert "7 s" in problem["remedy"]


@pytest.mark.parametrize(
    ("error", "status", "retry"),
    [
        (Overloaded("too much"), 429, "1"),
        (Unavailable("no space left"), 503, "1"),
        (StateConflict("no"), 409, None),
        (Taken("no"), 409, None),
        (Corrupt("no"), 500, None),
    ],
)
def test_only_what_passes_says_when_to_come_again(
    error: SekishoError, status: int, retry: str | None
) -> None:
    """Retry-After stands on what a wait can mend, and on nothing else."""
    answer = answered(error)
    assert (answer.status_code, answer.headers.get("retry-after")) == (status, retry)
    assert problem_of(error).status == status


def test_a_statement_for_a_full_line_is_asked_to_come_again(
    client: TestClient[Litestar], regime: LiveRegime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over the API: 429, nothing taken in, and the same statement enters when there is room."""

    def refuse(*_: object) -> None:
        raise Overloaded("8192 submissions wait already", retry_after_s=3)

    raw = _finding(regime, "while the line was full")
    with monkeypatch.context() as full:
        full.setattr(regime.control.desk._sequencer, "append_one", refuse)
        answer = client.post("/api/v1/statements", content=raw)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "3")
    assert answer.json()["code"] == "overloaded"
    assert client.post("/api/v1/statements", content=raw).json()["fresh"] is True
