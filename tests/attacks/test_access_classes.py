"""Attacks on who a user is said to be. The gate trusts the provider's own checks, and nothing that a user sends."""

from __future__ import annotations

from typing import Any

import pytest

from sekisho.access import AccessGate, UserClass
from tests.access.points import MODEL, Asking, HeldPicture, Message, PointRig, asgi_scope
from tests.access.test_gate import plain

SESSIONS = {b"session-a": UserClass(nationality="XA", jurisdiction="XA", asserted_by="kyc")}
FORGED = [
    (b"x-nationality", b"XB"),
    (b"x-forwarded-for", b"192.0.2.1"),
    (b"x-sekisho-class", b'{"nationality":"XB","jurisdiction":"XB"}'),
    (b"accept-language", b"xb"),
    (b"cookie", b"nationality=XB"),
]


def by_session(scope: Message) -> UserClass:
    """The provider's own code: from its session store, by an authenticated token."""
    token = dict(scope["headers"]).get(b"authorization", b"")
    return SESSIONS.get(token, UserClass())


def asked(headers: list[tuple[bytes, bytes]], **scope: Any) -> int:
    rig = PointRig()
    rig.suspend()
    rig.beat()
    gate = AccessGate(
        plain,
        picture=HeldPicture(rig.point.draw()),
        classify=by_session,
        model=lambda _: MODEL,
        now=rig.control.now,
    )
    return Asking(asgi_scope(headers=headers, **scope)).run(gate).status


@pytest.mark.parametrize("header", FORGED)
def test_a_class_header_that_a_user_forged_changes_nothing(header: tuple[bytes, bytes]) -> None:
    """A suspended user is refused by the session's class, whatever else the request claims."""
    assert asked([(b"authorization", b"session-a"), header]) == 451


def test_a_query_or_client_address_changes_nothing() -> None:
    """Neither does what stands in the address."""
    headers = [(b"authorization", b"session-a")]
    assert asked(headers, query_string=b"nationality=XB", client=("192.0.2.1", 1)) == 451


def test_a_user_who_drops_the_session_is_unknown_and_refused() -> None:
    """To assert nothing is no way round a suspension: unknown is refused unless the order says otherwise."""
    assert asked([]) == 451
