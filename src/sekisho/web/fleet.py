"""The server's side of NVIDIA's open fleet agent: enrolment, inventories, nonces, attestation evidence.

The agent speaks HTTPS to any address, plain HTTP to loopback only, follows no redirect and reads at most 1 MiB. Our
server answers loopback names only (web/guard.py), so hosts reach it through a TLS proxy on this machine that sets
`Host: 127.0.0.1`; docs/guide/inventories.md has the lines. Tokens are secrets: they are never logged, and compared in
constant time.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Final

import msgspec
from litestar import Controller, Request, Response, post, put
from litestar.datastructures import State
from litestar.params import PathParameter, RawBody

from sekisho.app.inventories import UnknownToken
from sekisho.model.errors import InvalidInput
from sekisho.signing.assertion import AssertionExpired, ForgedAssertion
from sekisho.web.plane import Lent
from sekisho.web.problems import PROBLEM_TYPE, encode_problem, problem_of, respond_with_problem

__all__ = ["FleetAgents"]

MAX_INVENTORY: Final = 1 << 20
MAX_EVIDENCE: Final = 4 << 20
NodePart = Annotated[str, PathParameter(max_length=200)]
Asking = Request[Any, Any, State]

# What the agent's own messages expect: 400 for what is no token, 401 for a wrong one, 403 for one that is over.
_UNAUTHORISED: Final = (UnknownToken, ForgedAssertion, AssertionExpired)


class Enrolled(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent keeps, and shows with every message."""

    jwtAssertion: str  # noqa: N815 - the agent's word


class Resolved(msgspec.Struct, frozen=True, kw_only=True):
    """Where the server has put a node."""

    nodeUUID: str  # noqa: N815 - the agent's word
    computeZone: str  # noqa: N815 - as above
    nodeGroup: str  # noqa: N815 - as above


class Nonce(msgspec.Struct, frozen=True, kw_only=True):
    """A nonce to attest under, and the assertion that follows the one that was shown."""

    nonce: str
    jwtAssertion: str  # noqa: N815 - the agent's word
    nonceRefreshTimestamp: str  # noqa: N815 - as above


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What became of evidence: kept, and checked by nobody yet."""

    verdict: str
    detail: str


def _respond(request: Asking, error: Exception) -> Response[bytes]:
    """The table of problems, but with the statuses that the agent puts into words."""
    if isinstance(error, InvalidInput) and error.path == "token":
        return _problem(error, HTTPStatus.BAD_REQUEST)
    if isinstance(error, _UNAUTHORISED):
        return _problem(error, HTTPStatus.UNAUTHORIZED)
    return respond_with_problem(request, error)


def _problem(error: Exception, status: HTTPStatus) -> Response[bytes]:
    problem = msgspec.structs.replace(problem_of(error), status=int(status), title=status.phrase)
    return Response(
        content=encode_problem(problem),
        status_code=status,
        media_type=PROBLEM_TYPE,
        headers={"cache-control": "no-store"},
    )


class FleetAgents(Controller):
    """Every route of /v1/agent."""

    path = "/v1/agent"
    include_in_schema = False  # another project's interface; ours is under /api/v1
    exception_handlers = {Exception: _respond}  # noqa: RUF012 - as the framework reads it

    @post("/enroll", status_code=HTTPStatus.OK, sync_to_thread=True)
    def enroll(self, request: Asking, plane: Lent) -> Enrolled:
        """An assertion for an enrolment token."""
        return Enrolled(jwtAssertion=plane.control.inventories.fleet.enroll(_bearer(request)))

    @put(
        "/nodes/{node:str}",
        status_code=HTTPStatus.OK,
        request_max_body_size=MAX_INVENTORY,
        sync_to_thread=True,
    )
    def take_inventory(
        self, request: Asking, plane: Lent, node: NodePart, body: RawBody
    ) -> Resolved:
        """Keep what a node says that it has."""
        taken = plane.control.inventories.fleet.take_inventory(_bearer(request), node, body)
        return Resolved(
            nodeUUID=taken.node, computeZone=taken.site, nodeGroup=taken.inventory.group
        )

    @post("/nodes/{node:str}/nonce", status_code=HTTPStatus.OK, sync_to_thread=True)
    def give_nonce(self, request: Asking, plane: Lent, node: NodePart) -> Nonce:
        """A fresh nonce to attest under."""
        given = plane.control.inventories.fleet.give_nonce(_bearer(request), node)
        return Nonce(
            nonce=given.nonce,
            jwtAssertion=given.assertion,
            nonceRefreshTimestamp=str(given.refresh),
        )

    @post(
        "/nodes/{node:str}/attestation",
        status_code=HTTPStatus.OK,
        request_max_body_size=MAX_EVIDENCE,
        sync_to_thread=True,
    )
    def take_evidence(self, request: Asking, plane: Lent, node: NodePart, body: RawBody) -> Kept:
        """Keep attestation evidence; it is not checked here, and never counts as verified."""
        verdict = plane.control.inventories.fleet.take_evidence(_bearer(request), node, body)
        return Kept(verdict=verdict, detail="kept as it came; nobody has checked it")


def _bearer(request: Asking) -> str:
    """The token of the Authorization header. Raises InvalidInput, which is 400 here."""
    word, _, token = request.headers.get("authorization", "").partition(" ")
    if word.casefold() != "bearer" or not token.strip() or len(token) > 8192:
        raise InvalidInput("there is no bearer token", path="token", remedy="enrol the agent")
    return token.strip()
