"""What the served OpenAPI document says of /epcis, and /epcis held against it by a fuzzer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from litestar import Litestar
from litestar.testing import TestClient
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from tests.regime import LiveRegime
from tests.web.serving import serving

NEGATIVE = schemathesis.GenerationMode.NEGATIVE
RESOURCES = ("bizLocations", "bizSteps", "dispositions", "epcs", "eventTypes", "readPoints")


@pytest.fixture(scope="module")
def described(regime: LiveRegime) -> Iterator[Any]:
    with serving(regime.control) as address:
        yield schemathesis.openapi.from_url(f"{address}/api/v1/openapi.json")


def test_every_route_is_described(client: TestClient[Litestar]) -> None:
    """With problems as error bodies, and the parameters that are read by hand."""
    paths = client.get("/api/v1/openapi.json").json()["paths"]
    ours = {path.removeprefix("/epcis"): told for path, told in paths.items() if "/epcis" in path}
    subscription = "/queries/{name}/subscriptions/{subscription}"
    assert set(ours) == {
        "/capture",
        "/capture/{capture}",
        "/events",
        "/events/{event_id}",
        *(f"/{name}" for name in RESOURCES),
        *(f"/{name}/{{rest}}" for name in RESOURCES),
        "/queries",
        "/queries/{name}",
        "/queries/{name}/events",
        "/queries/{name}/subscriptions",
        subscription,
        f"{subscription}/undelivered",
        f"{subscription}/undelivered/{{after}}",
    }
    asked = {parameter["name"] for parameter in ours["/events"]["get"]["parameters"]}
    assert {"eventType", "MATCH_anyEPC", "GE_recordTime", "perPage", "nextPageToken"} <= asked
    for operations in ours.values():
        for operation in operations.values():
            for status, told in operation["responses"].items():
                if int(status) >= 400:
                    assert list(told["content"]) == ["application/problem+json"]


@pytest.mark.slow
def test_epcis_answers_as_it_is_described(described: schemathesis.BaseSchema) -> None:
    """Whatever is sent, the answer has a status, a type and a body that the document announces."""
    found = [r.ok() for r in described.get_all_operations() if isinstance(r, Ok)]
    operations = [operation for operation in found if operation.path.startswith("/epcis")]
    assert len(operations) == 29
    for operation in operations:
        _hold_against_description(operation)


def _hold_against_description(operation: schemathesis.APIOperation[Any, Any, Any, Any]) -> None:
    @given(case=operation.as_strategy() | operation.as_strategy(generation_mode=NEGATIVE))
    @settings(
        max_examples=8, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    # No schema says what an event may mean, which names are taken, or that a field of nobody's is kept. And the
    # standard answers 501 to what a server leaves out.
    def check(case: schemathesis.Case[Any]) -> None:
        answer = case.call_and_validate(
            excluded_checks=[
                positive_data_acceptance,
                negative_data_rejection,
                not_a_server_error,
            ]
        )
        assert answer.status_code < 500 or answer.status_code == 501

    check()
