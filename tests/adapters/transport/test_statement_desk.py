"""Handing in: certificates are read where TLS is spoken, however its address is written, and nowhere else."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from sekisho.adapters.transport import statement_desk
from sekisho.adapters.transport.statement_desk import send_envelope
from sekisho.model.errors import Unavailable


@pytest.mark.parametrize(
    ("url", "verifies"),
    [
        ("https://plane.example", True),
        ("HTTPS://plane.example", True),
        ("http://127.0.0.1:8000", False),
    ],
)
def test_certificates_are_checked_wherever_tls_is_spoken(
    url: str, verifies: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An order is never handed to whoever answers in the control plane's place."""
    asked: list[bool] = []

    def transport(**options: Any) -> httpx.BaseTransport:
        asked.append(options["verify"])
        raise httpx.ConnectError("nobody is there")

    monkeypatch.setattr(statement_desk, "TimedTransport", transport)
    with pytest.raises(Unavailable):
        send_envelope(url, b"{}")
    assert asked == [verifies]
