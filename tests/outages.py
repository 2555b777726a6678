"""Declared outages for tests: signed by both constituencies, or by whom a test says."""

from __future__ import annotations

from sekisho.model.statements import OutageDeclared, Span
from sekisho.signing import Envelope
from sekisho.signing.keys import Signer
from tests.factory import AUTHORITY, OPERATOR, signed
from tests.fake_control import FakeControl

__all__ = ["BOTH", "outage"]

BOTH: tuple[Signer, ...] = (*AUTHORITY[:2], OPERATOR)


def outage(
    control: FakeControl,
    *,
    lasts_s: float = 3_600,
    sites: tuple[str, ...] = (),
    hosts: tuple[str, ...] = (),
    signers: tuple[Signer, ...] = BOTH,
) -> Envelope:
    """An outage that begins now; not handed to anybody yet."""
    now = control.now()
    fact = OutageDeclared(
        effective=now,
        outage="OUT-1",
        period=Span(start=now, end=now.plus(lasts_s)),
        reason="the issuer's building has no power",
        sites=sites,
        hosts=hosts,
    )
    return signed(fact, *signers)
