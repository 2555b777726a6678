"""The HTTP API under /api/v1: what hosts, observers and authorities send and fetch. Authority is in the signatures.

Handlers that take locks or wait for the disk run in threads; the long poll is a coroutine, so that a thousand waiting
hosts hold no thread. Leases, which wait for witnesses, and feeds, which anybody may read, have threads of their own:
however many are asked for, an order finds one free.
"""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import Annotated, Final

import anyio.to_thread
from litestar import Controller, get, post
from litestar.params import PathParameter, QueryParameter, RawBody

from sekisho.ledger import Cosigned
from sekisho.model.statements import LogPosition
from sekisho.model.wire import encode_base64
from sekisho.signing import Recorded
from sekisho.web.description import EnvelopeOperation, ReadOperation
from sekisho.web.overview import view_state
from sekisho.web.plane import Lent, Plane
from sekisho.web.problems import NotFound, declare_problems
from sekisho.web.wire import (
    AcknowledgedReceipt,
    Admission,
    FeedAnswer,
    FeedEntry,
    IssuedLease,
    OpenHaltView,
    ProofAnswer,
    ProvenEnvelope,
    StatementAnswer,
    StateView,
)

__all__ = ["Api", "decode_name"]

MAX_WAIT_S: Final = 60
_MAX_NUMBER: Final = 2**53

# A name as the protocol has it, with ~ for each slash, since a slash would part the path.
NamePart = Annotated[str, PathParameter(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:~@+-]{0,127}$")]
HexPart = Annotated[str, PathParameter(pattern=r"^[0-9a-f]{64}$")]

_TAKING = declare_problems(
    HTTPStatus.FORBIDDEN,
    HTTPStatus.CONFLICT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
_FINDING = declare_problems(
    HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE
)


def decode_name(part: str) -> str:
    """A name as it stands in a path, with its slashes back."""
    return part.replace("~", "/")


class Api(Controller):
    """Every route of /api/v1."""

    path = "/api/v1"

    @post(
        "/statements",
        status_code=HTTPStatus.OK,
        operation_class=EnvelopeOperation,
        responses=_TAKING,
        sync_to_thread=True,
    )
    def submit_statement(self, body: RawBody, plane: Lent) -> Admission:
        """Take a signed statement into the log; the same statement again gives the same place."""
        admitted = plane.control.submit(body)
        return Admission(
            index=admitted.index, leaf=admitted.leaf, digest=admitted.digest, fresh=admitted.fresh
        )

    @post(
        "/leases",
        status_code=HTTPStatus.OK,
        operation_class=EnvelopeOperation,
        responses=_TAKING,
    )
    async def request_lease(self, body: RawBody, plane: Lent) -> IssuedLease:
        """Answer a host's signed request with a witnessed lease; the same request gives the same lease."""
        granted, proof = await anyio.to_thread.run_sync(
            plane.control.grant_lease, body, limiter=plane.lease_threads
        )
        return IssuedLease(
            envelope=encode_base64(granted.envelope),
            proof=proof,
            disclosures=tuple(granted.disclosures),
        )

    @post(
        "/receipts",
        status_code=HTTPStatus.OK,
        operation_class=EnvelopeOperation,
        responses=_TAKING,
        sync_to_thread=True,
    )
    def take_receipt(self, body: RawBody, plane: Lent) -> AcknowledgedReceipt:
        """Take one link of a host's receipt chain and acknowledge it."""
        acknowledgement = plane.control.leases.take_receipt(body)
        return AcknowledgedReceipt(
            acknowledgement=encode_base64(acknowledgement) if acknowledgement else None
        )

    @get(
        "/proofs/{leaf:str}", operation_class=ReadOperation, responses=_FINDING, sync_to_thread=True
    )
    def find_proof(self, leaf: HexPart, plane: Lent) -> ProofAnswer:
        """The offline proof of an entry, once a witnessed checkpoint covers it."""
        recorded = plane.journal.find(leaf)
        if recorded is None or recorded.leaf != leaf:
            raise NotFound(f"no entry with the leaf digest {leaf} is in the log")
        proof = plane.control.prove(recorded.index)
        if proof is None:
            raise NotFound(
                f"entry {recorded.index} is not in a witnessed checkpoint yet",
                remedy="ask again shortly",
            )
        return ProofAnswer(proof=proof)

    @get(
        "/hosts/{host:str}/feed",
        operation_class=ReadOperation,
        responses=declare_problems(HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE),
    )
    async def read_feed(
        self,
        host: NamePart,
        plane: Lent,
        after: Annotated[int, QueryParameter(ge=0, le=_MAX_NUMBER)] = 0,
        wait_s: Annotated[int, QueryParameter(ge=0, le=MAX_WAIT_S)] = 0,
    ) -> FeedAnswer:
        """What is new for a host after a cursor; waits up to `wait_s` seconds for something (long poll)."""
        deadline = time.monotonic() + wait_s
        name = decode_name(host)
        while True:
            page = await anyio.to_thread.run_sync(
                plane.control.feed.read, name, after, limiter=plane.feed_threads
            )
            if page.items or not await plane.news.wait(page.next, deadline):
                break
            # Something happened, perhaps not for this host: look again from where we are.
            after = page.next
        return FeedAnswer(
            next=page.next,
            items=tuple(
                FeedEntry(
                    envelope=encode_base64(item.envelope),
                    proof=item.proof,
                    membership=item.membership,
                )
                for item in page.items
            ),
            checkpoint=page.checkpoint,
        )

    @get(
        "/orders/{register:str}/{number:int}",
        operation_class=ReadOperation,
        responses=_FINDING,
        sync_to_thread=True,
    )
    def find_order(
        self,
        register: NamePart,
        number: Annotated[int, PathParameter(ge=1, le=_MAX_NUMBER)],
        plane: Lent,
        host: Annotated[str, QueryParameter(max_length=128)] = "",
    ) -> ProvenEnvelope:
        """An order by its register (~ for /) and number, for hosts that heard of it and lack it.

        With `host` comes the proof that this host is in its scope, or is not, where the scope was resolved.
        """
        book = plane.control.desk.state.orders.orders.get(decode_name(register))
        known = None if book is None else book.get(number)
        recorded = None if known is None else plane.control.desk.find(known.digest)
        if recorded is None:
            raise NotFound(f"no order {number} is in register {decode_name(register)}")
        return ProvenEnvelope(
            envelope=encode_base64(recorded.verified.envelope.raw),
            proof=plane.control.prove(recorded.index),
            membership=plane.control.feed.memberships.prove(recorded, host) if host else None,
        )

    @get(
        "/halts",
        operation_class=ReadOperation,
        responses=declare_problems(HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE),
        sync_to_thread=True,
    )
    def list_halts(
        self,
        plane: Lent,
        shown: Annotated[str, QueryParameter(name="state", pattern="^open$")] = "open",
    ) -> list[OpenHaltView]:
        """Halted receipts under a witnessed checkpoint that wait for an observer: for the first time, or again."""
        del shown  # the one state there is; named so that others can follow
        cosigned = plane.control.publisher.latest
        return [] if cosigned is None else _open_halts(plane, cosigned)

    @get(
        "/statements/{digest:str}",
        operation_class=ReadOperation,
        responses=_FINDING,
        sync_to_thread=True,
    )
    def find_statement(self, digest: HexPart, plane: Lent) -> StatementAnswer:
        """A statement by the SHA-256 of its payload, at its place in the log."""
        recorded: Recorded | None = plane.control.desk.find(digest)
        if recorded is None:
            raise NotFound(f"no statement with the payload digest {digest} is in the log")
        return StatementAnswer(
            envelope=encode_base64(recorded.verified.envelope.raw),
            index=recorded.index,
            leaf=recorded.leaf,
            proof=plane.control.prove(recorded.index),
        )

    @get(
        "/state",
        operation_class=ReadOperation,
        responses=declare_problems(HTTPStatus.SERVICE_UNAVAILABLE),
        sync_to_thread=True,
    )
    def show_state(self, plane: Lent) -> StateView:
        """Everything that the overview shows, as JSON."""
        return view_state(plane.look())


def _open_halts(plane: Plane, cosigned: Cosigned) -> list[OpenHaltView]:
    tree = cosigned.checkpoint
    after = LogPosition(size=tree.size, root=tree.root.hex())
    return [
        OpenHaltView(
            host=life.host,
            order=life.order,
            receipt=life.halted.digest,
            receipt_index=life.halted.index,
            after=after,
        )
        for life in plane.control.halts_due()
        if life.halted is not None and life.halted.index < tree.size
    ]
