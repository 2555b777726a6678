"""The usage report's wire form: what was written before its newer fields is read and named as it was."""

from __future__ import annotations

import msgspec

from sekisho.model.statements import UsageReported, make_payload, parse_payload
from sekisho.model.wire import sha256_hex
from tests.factory_kinds import one_of_each

BEFORE = "bd7b86387438daccb8af6ba24530f7203c6b6509b956823b06f56adbf8dcacde"
"""The payload digest of the golden vector before roll-ups, evidence, corrections and counting rules were added."""


def test_a_report_without_the_newer_fields_has_its_old_bytes() -> None:
    """Fields at their default are left out: an old statement's digest is for ever."""
    new = one_of_each()["usage-reported"]
    assert isinstance(new, UsageReported)
    old = msgspec.structs.replace(new, rollup=None, evidence=None, corrects=None, counting=None)
    assert sha256_hex(make_payload(old)) == BEFORE
    assert parse_payload(make_payload(old)).predicate == old
