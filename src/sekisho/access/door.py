"""What the access point's door answers: a decision for a class of users, and the signed picture. No socket here.

`POST /v1/decide` takes {model, nationality?, jurisdiction?, asserted_by?} and answers with the decision; `GET
/v1/picture` gives the signed picture. Nothing that is asked is kept or logged.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Final

import msgspec

from sekisho.access.answers import STATUS, Refusal, problem_of
from sekisho.access.picture import AccessDecision, UserClass
from sekisho.model.errors import InvalidInput, SekishoError
from sekisho.model.statements.shapes import Jurisdiction, Name
from sekisho.model.wire import canonical, from_json, parse_json

__all__ = ["MAX_QUESTION", "Asked", "Door"]

MAX_QUESTION: Final = 4_096
_JSON: Final = "application/json"


class Asked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A question at the door: a class of users and a model; no user."""

    model: Name
    nationality: Jurisdiction | None = None
    jurisdiction: Jurisdiction | None = None
    asserted_by: Annotated[str, msgspec.Meta(max_length=128)] = ""

    @property
    def user(self) -> UserClass:
        return UserClass(
            nationality=self.nationality,
            jurisdiction=self.jurisdiction,
            asserted_by=self.asserted_by,
        )


class _Told(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    serve: bool
    code: str
    status: int
    model: str
    reasons: tuple[str, ...] = ()
    problem: Refusal | None = None


class Door(msgspec.Struct, frozen=True, kw_only=True):
    """What the door answers with; `answer` is what a server calls."""

    decide: Callable[[Asked], AccessDecision]
    picture: Callable[[], bytes | None]

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, bytes, str]:
        """Status, body and its type. Any other place than the two is not found."""
        if (method, path) == ("GET", "/v1/picture"):
            raw = self.picture()
            return _say(503, {"code": "picture-stale"}) if raw is None else (200, raw, _JSON)
        if (method, path) == ("POST", "/v1/decide"):
            return self._decide(body)
        return _say(404, {"code": "not-found"})

    def _decide(self, body: bytes) -> tuple[int, bytes, str]:
        try:
            asked = from_json(Asked, parse_json(body, limit=MAX_QUESTION), path="body")
            return _say(200, _told(self.decide(asked)))
        except InvalidInput as error:
            return _say(422, {"code": error.code, "detail": error.message})
        except SekishoError as error:
            return _say(503, {"code": error.code, "detail": error.message})


def _say(status: int, told: object) -> tuple[int, bytes, str]:
    return status, canonical(told), _JSON


def _told(decision: AccessDecision) -> _Told:
    return _Told(
        serve=decision.serve,
        code=decision.code,
        status=STATUS[decision.code],
        model=decision.model,
        reasons=decision.reasons,
        problem=None if decision.serve else problem_of(decision),
    )
