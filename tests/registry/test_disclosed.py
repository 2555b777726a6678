"""The forms in which a register discloses itself: there and back, strictly, and as committed bytes."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from sekisho.model.errors import InvalidInput
from sekisho.model.instants import parse_instant
from sekisho.ports.register_store import BatchRow, CaptureRow, EventRow
from sekisho.registry.disclosed import (
    DisclosedBatch,
    DisclosedCapture,
    DisclosedEvent,
    event_lines,
    parse_lines,
    to_lines,
)
from sekisho.registry.irregularity import about_digest
from sekisho.registry.sealed_content import SealedAt, open_content, seal_content

AT = parse_instant("2026-11-22T09:00:00Z")
EVENT = EventRow(
    number=7,
    key=bytes(32),
    hash_id="ni:///sha-256;00?ver=CBV2.0",
    at=AT,
    type="ObjectEvent",
    action="ADD",
    biz_step="commissioning",
    disposition="active",
    read_point="",
    biz_location="",
    capture="c1",
    batch=3,
    place=1,
    received=AT,
    outcome="taken",
    effect=7,
    salt=bytes(range(16)),
    document='{"type":"ObjectEvent","note":"検査"}'.encode(),
)
CAPTURE = CaptureRow(
    capture="c1",
    received=AT,
    sha256="ab" * 32,
    size=100,
    endorsement=b"{}",
    parties=("fab",),
    powers=("inspect",),
)
BATCH = BatchRow(batch=3, made=AT, events=2, root=bytes(32), entry=9, leaf="cd" * 32)
KEY, ROOT = bytes(range(32)), bytes(32)


def test_events_captures_and_batches_go_there_and_back() -> None:
    """Each as one line of canonical JSON."""
    event, capture = DisclosedEvent.of(EVENT), DisclosedCapture.of(CAPTURE)
    batch = DisclosedBatch.of(BATCH)
    for row in (event, capture, batch):
        assert parse_lines(type(row), to_lines([row, row]), "f") == (row, row)
    assert event.salt_bytes == EVENT.salt
    assert capture.envelope == CAPTURE.endorsement
    assert DisclosedCapture.of(replace(CAPTURE, endorsement=b"")).envelope == b""


def test_the_bytes_of_an_event_are_for_ever() -> None:
    """The committed form, which deposits hold as well."""
    assert event_lines([EVENT]).decode() == (
        '{"batch":3,"capture":"c1","document":"{\\"type\\":\\"ObjectEvent\\",\\"note\\":\\"検査\\"}",'
        '"effect":7,"number":7,"outcome":"taken","place":1,"received":"2026-11-22T09:00:00Z",'
        '"salt":"000102030405060708090a0b0c0d0e0f","voided_by":null}\n'
    )


@pytest.mark.parametrize(
    "line",
    [
        b'{"batch":0}',
        b"not json",
        b'{"batch":3,"events":2,"made":"2026-11-22T09:00:00Z","root":"zz"}',
        b'{"batch":3,"batch":4}',
        b'{"batch":3, "events":2}',
    ],
)
def test_a_line_that_is_wrong_is_named_by_file_and_number(line: bytes) -> None:
    """The first good line does not hide the second."""
    good = to_lines([DisclosedBatch.of(BATCH)])
    with pytest.raises(InvalidInput, match=r"custody/batches\.jsonl:2"):
        parse_lines(DisclosedBatch, good + line + b"\n", "custody/batches.jsonl")
    with pytest.raises(InvalidInput, match="cut off"):
        parse_lines(DisclosedBatch, good[:-1], "custody/batches.jsonl")


def test_an_event_without_a_salt_is_never_disclosed_as_if_it_had_one() -> None:
    """A commitment without salt would tell the event to whoever guesses it."""
    with pytest.raises(InvalidInput, match="salt"):
        event_lines([replace(EVENT, salt=b"short")])


def test_a_sealed_content_opens_under_its_key_for_its_batch_only() -> None:
    """Another key, another batch, one changed bit: nothing."""
    sealed = seal_content(KEY, b"events", ROOT)
    assert open_content(KEY, sealed, ROOT) == b"events"
    changed = bytes([sealed[0] ^ 1]) + sealed[1:]
    for key, data, root in (
        (bytes(32), sealed, ROOT),
        (KEY, sealed, b"\1" * 32),
        (KEY, changed, ROOT),
        (KEY, b"", ROOT),
    ):
        with pytest.raises(InvalidInput, match="does not open"):
            open_content(key, data, root)
    with pytest.raises(InvalidInput, match="32 bytes"):
        seal_content(b"short", b"", ROOT)


def test_the_bytes_of_a_sealed_content_are_for_ever() -> None:
    """AES-256-GCM, nonce zero, the domain and the root as associated data."""
    assert seal_content(KEY, b"events", ROOT).hex() == SEALED


def test_where_a_content_lies_goes_there_and_back() -> None:
    """As the text of one concealed field."""
    place = SealedAt.of(KEY, "ab" * 32)
    assert SealedAt.from_text(place.to_text()) == place
    assert place.key_bytes == KEY
    for text in ("{}", '{"key":"AA=="}', place.to_text() + " ", '{"key":"","sha256":"x"}'):
        with pytest.raises(InvalidInput):
            SealedAt.from_text(text)


def test_what_a_finding_is_about_is_pinned_by_salt_and_words() -> None:
    """Any other book, code, subject or salt gives another digest; the first is committed."""
    first = about_digest(bytes(16), "custody", "shortage", "chip 1")
    assert first == ABOUT
    for salt, books, code, about in (
        (b"\1" * 16, "custody", "shortage", "chip 1"),
        (bytes(16), "balance", "shortage", "chip 1"),
        (bytes(16), "custody", "unknown-id", "chip 1"),
        (bytes(16), "custody", "shortage", "chip 2"),
    ):
        assert about_digest(salt, books, code, about) != first
    with pytest.raises(InvalidInput, match="salt"):
        about_digest(b"", "custody", "shortage", "chip 1")


SEALED = "6bcad0b0c15f097fe98607d64a1c2b63e09afc0f9ca2"
ABOUT = "2c6963811170a76bfe096828a4f48a7ce8a587d8a0dd040e3259c7cbcc2d3cfb"
