"""What a stranger's server or file says in an error must not move the cursor of whoever reads it."""

from __future__ import annotations

import pytest

from sekisho.cli.errors import complain, complaint_of
from sekisho.model.errors import InvalidInput, Unavailable
from sekisho.ports.witness import WitnessRefused

HOSTILE = "ok\x1b[2J\x9b1A\r\nholds: all signatures verify \u202egnirts\u202c"


@pytest.mark.parametrize(
    "error",
    [
        Unavailable(f"a witness answered 503: {HOSTILE}"),
        WitnessRefused(f"a witness answered 403: {HOSTILE}", status=403),
        InvalidInput("is nothing", path="file", remedy=f"look at {HOSTILE}"),
        InvalidInput("is nothing", path=HOSTILE),
        RuntimeError(HOSTILE),
    ],
)
def test_escapes_in_an_error_are_shown_and_not_obeyed(
    error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every hidden character is written as its number, and nothing poses as a line of ours."""
    complain(complaint_of(error, "en"), "en", as_json=False)
    told = capsys.readouterr().err
    assert all(c.isprintable() or c == "\n" for c in told)
    assert not any(line.startswith("holds") for line in told.splitlines())
