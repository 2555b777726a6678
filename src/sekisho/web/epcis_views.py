"""The JSON that /epcis answers with, beside events: capture jobs, collections, named queries, subscriptions.

Names are those of EPCIS 2.0 where it has them; what is ours besides is told in the field's own words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from sekisho.ports.register_store import CaptureRow
from sekisho.ports.subscriptions import DeadLetter, NamedQuery, Subscription

__all__ = [
    "Collection",
    "JobView",
    "LetterView",
    "QueryView",
    "SubscriptionView",
    "view_job",
    "view_letter",
    "view_query",
    "view_subscription",
]

CONTEXT: Final = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"


class JobView(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A capture job. `success` is false where an event could not be read; what custody refused is counted, and kept.

    `errors` name the place in the document and what to mend. Of the events captured `waiting` are early for their
    predecessor, `refused` may not be; `repeated` were captured before.
    """

    capture_id: str = msgspec.field(name="captureID")
    created_at: str
    finished_at: str | None
    running: bool
    success: bool
    capture_error_behaviour: str
    errors: tuple[Mapping[str, str], ...]
    events: int
    taken: int
    waiting: int
    refused: int
    repeated: int
    parties: tuple[str, ...]
    powers: tuple[str, ...]
    signed: bool


class Collection(msgspec.Struct, frozen=True, kw_only=True):
    """A list of resources."""

    context: str = msgspec.field(name="@context", default=CONTEXT)
    type: str = "Collection"
    member: tuple[str, ...]


class QueryView(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A named query; a parameter that is given several times is a list."""

    name: str
    query: Mapping[str, Any]
    created_at: str


class SubscriptionView(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True
):
    """A subscription: where it delivers to and how far it is. `secret` is told once, when it is made.

    `delivered` is the number of the newest event that is done with, `undelivered` how many deliveries were given up.
    """

    subscription_id: str = msgspec.field(name="subscriptionID")
    dest: str
    created_at: str
    delivered: int
    last_notified_at: str | None = None
    attempts: int = 0
    retry_at: str | None = None
    problem: str = ""
    undelivered: int = 0
    secret: str | None = None


class LetterView(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A delivery that was given up: the query's events with numbers above `after` up to `until`."""

    delivery: str
    after: int
    until: int
    attempts: int
    given_up_at: str
    problem: str


def view_job(row: CaptureRow, behaviour: str) -> JobView:
    """A capture as its job."""
    problems = msgspec.json.decode(row.problems or b"[]", type=tuple[dict[str, str], ...])
    return JobView(
        capture_id=row.capture,
        created_at=str(row.received),
        finished_at=None if row.finished is None else str(row.finished),
        running=row.running,
        success=not problems,
        capture_error_behaviour=behaviour,
        errors=tuple(
            {
                "type": "epcisException:ValidationException",
                "title": found["problem"],
                "instance": found["path"],
            }
            for found in problems
        ),
        events=row.events,
        taken=row.taken,
        waiting=row.waiting,
        refused=row.refused,
        repeated=row.repeated,
        parties=row.parties,
        powers=row.powers,
        signed=bool(row.parties or row.powers),
    )


def view_query(query: NamedQuery) -> QueryView:
    """A named query, its parameters as an object."""
    found: dict[str, Any] = {}
    for key, value in query.params:
        if key in found:
            before = found[key]
            found[key] = [*before, value] if isinstance(before, list) else [before, value]
        else:
            found[key] = value
    return QueryView(name=query.name, query=found, created_at=str(query.created))


def view_subscription(
    subscription: Subscription, letters: Sequence[DeadLetter] = (), *, secret: str | None = None
) -> SubscriptionView:
    """A subscription without its secret, unless that is given."""
    return SubscriptionView(
        subscription_id=subscription.subscription,
        dest=subscription.url,
        created_at=str(subscription.created),
        delivered=subscription.after,
        last_notified_at=_text(subscription.delivered),
        attempts=subscription.attempts,
        retry_at=_text(subscription.retry_at),
        problem=subscription.problem,
        undelivered=len(letters),
        secret=secret,
    )


def view_letter(letter: DeadLetter) -> LetterView:
    """A dead letter."""
    return LetterView(
        delivery=f"{letter.subscription}-{letter.after}-{letter.until}",
        after=letter.after,
        until=letter.until,
        attempts=letter.attempts,
        given_up_at=str(letter.died),
        problem=letter.problem,
    )


def _text(at: object) -> str | None:
    return None if at is None else str(at)
