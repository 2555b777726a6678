"""Sealed orders over HTTP: handed in with what they conceal, and shown to hosts that ask by their key."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

import msgspec
from litestar import Controller, post
from litestar.params import RawBody

from sekisho.model.wire import decode_base64, encode_base64, from_json, parse_json
from sekisho.web.description import EnvelopeOperation, SealedOperation
from sekisho.web.plane import Lent
from sekisho.web.problems import TAKING
from sekisho.web.wire import Admission, ProvenEnvelope

__all__ = ["SealedApi"]


class _HandedIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    envelope: str
    disclosures: Annotated[
        tuple[Annotated[str, msgspec.Meta(max_length=20_000)], ...],
        msgspec.Meta(min_length=2, max_length=2),
    ]


class SealedApi(Controller):
    """What of /api/v1 is about sealed orders alone."""

    path = "/api/v1"

    @post(
        "/sealed-orders",
        status_code=HTTPStatus.OK,
        operation_class=SealedOperation,
        responses=TAKING,
        sync_to_thread=True,
    )
    def submit_sealed(self, body: RawBody, plane: Lent) -> Admission:
        """Take a sealed order into the log, and keep what it conceals for the hosts in its scope."""
        handed = from_json(_HandedIn, parse_json(body, path="body"), path="body")
        envelope = decode_base64(handed.envelope, path="envelope")
        admitted = plane.control.submit(envelope, handed.disclosures)
        return Admission(
            index=admitted.index, leaf=admitted.leaf, digest=admitted.digest, fresh=admitted.fresh
        )

    @post(
        "/orders/shown",
        status_code=HTTPStatus.OK,
        operation_class=EnvelopeOperation,
        responses=TAKING,
        sync_to_thread=True,
    )
    def show_order(self, body: RawBody, plane: Lent) -> ProvenEnvelope:
        """An order as the host that signed this request may see it: whole in its scope, else proof that it is not."""
        shown = plane.control.show_order(body)
        return ProvenEnvelope(
            envelope=encode_base64(shown.recorded.verified.envelope.raw),
            proof=plane.control.prove(shown.recorded.index),
            membership=shown.membership,
            disclosures=shown.disclosures,
        )
