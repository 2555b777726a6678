from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from sekisho.model.errors import InvalidInput, UnknownCriticalField
from sekisho.model.statements import (
    KINDS,
    MAX_PAYLOAD,
    HostRetired,
    OrderIssued,
    Predicate,
    kind_of,
    make_payload,
    parse_payload,
    parse_payload_leniently,
    unknown_critical,
)
from sekisho.model.statements.shapes import Count, Text
from sekisho.model.wire import canonical, from_json, sha256_hex
from tests.factory import NOW, order_issued
from tests.factory_kinds import one_of_each

EACH = one_of_each()


def form(predicate: Predicate) -> dict[str, Any]:
    """The payload of a predicate as plain JSON, to be tampered with."""
    plain: dict[str, Any] = json.loads(make_payload(predicate))
    return plain


def sealed(plain: dict[str, Any]) -> bytes:
    """The payload again, with its subject's digest put right."""
    digest = sha256_hex(canonical(plain["predicate"]))
    plain["subject"][0]["digest"] = {"sha256": digest}
    return canonical(plain)


def test_the_factory_makes_every_kind() -> None:
    """No kind goes untested."""
    assert set(EACH) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_goes_there_and_back(kind: str) -> None:
    """The typed predicate that was stated is the one that is read."""
    payload = make_payload(EACH[kind])
    statement = parse_payload(payload)
    assert statement.kind == kind == kind_of(statement.predicate)
    assert statement.predicate == EACH[kind]
    assert statement.payload == payload
    assert statement.digest == sha256_hex(payload)
    assert make_payload(statement.predicate) == payload


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_an_in_toto_statement_about_its_subject(kind: str) -> None:
    """Type, predicate type and the subject's digest are in-toto's own fields."""
    plain = form(EACH[kind])
    assert plain["_type"] == "https://in-toto.io/Statement/v1"
    assert plain["predicateType"] == f"urn:sekisho:statement:{kind}:v1"
    (subject,) = plain["subject"]
    assert subject["digest"] == {"sha256": sha256_hex(canonical(plain["predicate"]))}
    assert subject["name"] == KINDS[kind].subject(EACH[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_refuses_a_missing_field_and_a_wrong_type(kind: str) -> None:
    """Each required field is asked for by name, whatever the kind."""
    required = [
        field.encode_name
        for field in msgspec.structs.fields(type(EACH[kind]))
        if field.required and field.encode_name in form(EACH[kind])["predicate"]
    ]
    assert "effective" in required
    for name in required:
        plain = form(EACH[kind])
        del plain["predicate"][name]
        with pytest.raises(InvalidInput, match=name):
            parse_payload(sealed(plain))
        plain = form(EACH[kind])
        plain["predicate"][name] = 7.5
        with pytest.raises(InvalidInput) as refused:
            parse_payload(sealed(plain), path="f")
        assert refused.value.path.startswith(f"f.predicate.{name}")


@pytest.mark.parametrize("kind", KINDS)
def test_unknown_fields_are_kept_in_the_bytes_and_passed_over_by_the_reader(kind: str) -> None:
    """A newer writer's field changes the digest and the subject, not the reading."""
    plain = form(EACH[kind])
    plain["predicate"]["later"] = {"x": [1, "two"]}
    statement = parse_payload(sealed(plain))
    assert statement.predicate == EACH[kind]
    assert b'"later"' in statement.payload
    assert statement.digest != sha256_hex(make_payload(EACH[kind]))


@pytest.mark.parametrize("kind", KINDS)
def test_an_unknown_critical_field_is_refused_by_name(kind: str) -> None:
    """The strict reader refuses what it must understand and does not."""
    plain = form(EACH[kind])
    plain["predicate"]["crit"] = ["effective", "later"]
    with pytest.raises(UnknownCriticalField, match="later"):
        parse_payload(sealed(plain))
    statement, unknown = parse_payload_leniently(sealed(plain))
    assert unknown == unknown_critical(statement.predicate) == {"later"}


def test_a_known_critical_field_is_understood() -> None:
    """Naming a field that the reader knows as critical changes nothing."""
    plain = form(order_issued())
    plain["predicate"]["crit"] = ["scope", "effect", "crit"]
    assert isinstance(parse_payload(sealed(plain)).predicate, OrderIssued)


def test_a_subject_that_does_not_name_its_predicate_is_refused() -> None:
    """Another digest, another name, a second subject, no subject."""
    changes: tuple[dict[str, Any], ...] = (
        {"digest": {"sha256": "0" * 64}},
        {"name": "order:pause/JP:2"},
        {"name": "order:pause/JP:1\n"},
        {"digest": {"sha256": "0" * 64, "sha512": "0" * 128}},
        {"digest": {}},
    )
    for change in changes:
        plain = form(order_issued())
        plain["subject"][0].update(change)
        with pytest.raises(InvalidInput):
            parse_payload(canonical(plain))
    for subjects in ([], [*form(order_issued())["subject"]] * 2):
        with pytest.raises(InvalidInput):
            parse_payload(canonical({**form(order_issued()), "subject": subjects}))


@pytest.mark.parametrize(
    "change",
    [
        {"predicateType": "urn:sekisho:statement:order-issued:v2"},
        {"predicateType": "urn:sekisho:statement:order-unissued:v1"},
        {"predicateType": "x urn:sekisho:statement:order-issued:v1"},
        {"predicateType": "https://slsa.dev/provenance/v1"},
        {"_type": "https://in-toto.io/Statement/v0.1"},
        {"extra": 1},
        {"predicate": []},
    ],
    ids=lambda change: " ".join(map(str, change.items())),
)
def test_another_form_of_statement_is_refused(change: dict[str, Any]) -> None:
    """Unknown kinds, versions and envelope fields are no statements of ours."""
    with pytest.raises(InvalidInput):
        parse_payload(canonical({**form(order_issued()), **change}))


def test_a_payload_that_is_not_canonical_is_refused() -> None:
    """The same value with a space in it would have another digest."""
    payload = make_payload(order_issued())
    for other in (payload + b"\n", payload.replace(b'":', b'": ', 1), b" " + payload):
        with pytest.raises(InvalidInput, match="canonical"):
            parse_payload(other)


def test_a_payload_holds_at_most_45_000_bytes() -> None:
    """45,000 bytes are written and read, one more is refused both ways."""

    def padded(size: int) -> HostRetired:
        room = HostRetired(effective=NOW, host="host-1", reason="")
        return msgspec.structs.replace(room, crit=("x" * (size - len(make_payload(room)) - 12),))

    exact = padded(MAX_PAYLOAD)
    payload = make_payload(exact)
    assert len(payload) == MAX_PAYLOAD
    assert parse_payload_leniently(payload)[0].predicate == exact
    with pytest.raises(InvalidInput, match="45000"):
        make_payload(padded(MAX_PAYLOAD + 1))
    longer = payload.replace(b"xx", b"xxx", 1)
    with pytest.raises(InvalidInput, match="45001 bytes is over"):
        parse_payload(longer)


def test_counts_and_texts_are_bounded() -> None:
    """A count beyond the exact numbers of JSON and a text without end are refused."""
    with pytest.raises(InvalidInput):
        from_json(Count, 2**53 + 1)
    with pytest.raises(InvalidInput):
        from_json(Count, -1)
    with pytest.raises(InvalidInput):
        from_json(Text, "x" * 4_001)
