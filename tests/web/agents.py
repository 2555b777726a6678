"""A small client that behaves like the fleet agent: enrols, sends its inventory, asks for nonces, attests."""

from __future__ import annotations

import json
from typing import Any

import httpx
from litestar import Litestar
from litestar.testing import TestClient

from tests.inventoried import message

__all__ = ["MAX_ANSWER", "Agent", "evidence"]

MAX_ANSWER = 1 << 20
"""What the agent reads of an answer."""


def evidence(nonce: str, *, size: int = 4) -> dict[str, Any]:
    """An attestation message: one piece of evidence for each device, under one nonce."""
    piece = {
        "arch": "BLACKWELL",
        "certificate": "LS0tLS1CRUdJTg==" * size,
        "driverVersion": "575.28",
        "evidence": "EeAB/w==" * size,
        "nonce": nonce,
        "vbiosVersion": "97.00.82.00.18",
        "version": "1.0",
    }
    return {
        "attestationData": {
            "sdkResponse": {"evidences": [piece, piece], "resultCode": 0, "resultMessage": "Ok"},
            "nonceRefreshTimestamp": "2026-06-01T12:00:00Z",
            "success": True,
        }
    }


class Agent:
    """One host. `node` is its UUID; `jwt` what the server gave it last."""

    def __init__(self, client: TestClient[Litestar], node: str) -> None:
        self._client = client
        self.node = node
        self.jwt = ""

    def enroll(self, token: str) -> httpx.Response:
        answer = self._send("POST", "/v1/agent/enroll", bearer=token)
        if answer.is_success:
            self.jwt = answer.json()["jwtAssertion"]
        return answer

    def report(self, *numbers: int, node: str = "", **fields: Any) -> httpx.Response:
        return self.put(json.dumps(message(numbers, **fields)).encode(), node=node)

    def put(self, body: bytes, *, node: str = "") -> httpx.Response:
        return self._send("PUT", f"/v1/agent/nodes/{node or self.node}", body)

    def ask_nonce(self, *, node: str = "") -> httpx.Response:
        answer = self._send("POST", f"/v1/agent/nodes/{node or self.node}/nonce")
        if answer.is_success:
            self.jwt = answer.json()["jwtAssertion"]
        return answer

    def attest(self, document: dict[str, Any], *, node: str = "") -> httpx.Response:
        body = json.dumps(document).encode()
        return self._send("POST", f"/v1/agent/nodes/{node or self.node}/attestation", body)

    def _send(
        self, method: str, path: str, body: bytes | None = None, *, bearer: str = ""
    ) -> httpx.Response:
        headers = {"user-agent": "fleet-intelligence-agent"}
        if bearer or self.jwt:
            headers["authorization"] = f"Bearer {bearer or self.jwt}"
        if body is not None:
            headers["content-type"] = "application/json"
        answer = self._client.request(
            method, path, content=body, headers=headers, follow_redirects=False
        )
        assert len(answer.content) <= MAX_ANSWER
        return answer
