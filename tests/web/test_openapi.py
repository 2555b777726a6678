"""The served OpenAPI document, and the API held against it by a fuzzer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from litestar import Litestar
from litestar.testing import TestClient
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.regime import LiveRegime
from tests.web.serving import serving

NEGATIVE = schemathesis.GenerationMode.NEGATIVE


@pytest.fixture(scope="module")
def described(regime: LiveRegime) -> Iterator[Any]:
    with serving(regime.control) as address:
        yield schemathesis.openapi.from_url(f"{address}/api/v1/openapi.json")


def test_the_document_names_every_route_and_no_foreign_error(
    client: TestClient[Litestar],
) -> None:
    """The contract's routes are there, each with problems as error bodies and none of the framework's 400."""
    document = client.get("/api/v1/openapi.json").json()
    # What lies under /epcis has the standard's own statuses: tests/web/test_epcis_openapi.py.
    ours = {path: told for path, told in document["paths"].items() if path.startswith("/api/")}
    assert set(ours) == {
        "/api/v1/statements",
        "/api/v1/statements/{digest}",
        "/api/v1/proofs/{leaf}",
        "/api/v1/hosts/{host}/feed",
        "/api/v1/leases",
        "/api/v1/receipts",
        "/api/v1/orders/shown",
        "/api/v1/orders/{register}/{number}",
        "/api/v1/sealed-orders",
        "/api/v1/halts",
        "/api/v1/state",
        "/api/v1/tables",
        "/api/v1/tables/{table}",
        "/api/v1/rules/packs",
        "/api/v1/rules/packs/{name}",
        "/api/v1/rules/decide",
        "/api/v1/rules/classify",
        "/api/v1/rules/diff",
        "/api/v1/impact/assess",
        "/api/v1/telemetry",
        "/api/v1/weights/keeper",
        "/api/v1/weights/keys",
        "/api/v1/weights/requests",
        "/api/v1/work",
        "/api/v1/delivery",
    }
    for operations in ours.values():
        for operation in operations.values():
            errors = {s: r for s, r in operation["responses"].items() if int(s) >= 400}
            assert "400" not in errors
            assert "500" in errors
            for response in errors.values():
                assert list(response["content"]) == ["application/problem+json"]


def test_the_api_answers_as_it_is_described(described: schemathesis.BaseSchema) -> None:
    """Whatever is sent, the answer has a status, a type and a body that the document announces."""
    found = [r.ok() for r in described.get_all_operations() if isinstance(r, Ok)]
    operations = [operation for operation in found if operation.path.startswith("/api/")]
    assert len(operations) == 25
    for operation in operations:
        _hold_against_description(operation)


def _hold_against_description(operation: schemathesis.APIOperation[Any, Any, Any, Any]) -> None:
    @given(case=operation.as_strategy() | operation.as_strategy(generation_mode=NEGATIVE))
    @settings(
        max_examples=30, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    # No schema can say that an envelope is canonical and signed by its quorum: valid data is refused all the same.
    def check(case: schemathesis.Case[Any]) -> None:
        case.call_and_validate(
            excluded_checks=[positive_data_acceptance] if case.method == "POST" else []
        )

    check()
