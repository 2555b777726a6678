"""Whether a key may sign a document, and what the document would change: the pure decisions behind the ceremony."""

from __future__ import annotations

import msgspec
import pytest

from sekisho.ledger.tiles import Tile, decode_bundle
from sekisho.model.errors import NotAuthorised, SekishoError, StateConflict, UnknownCriticalField
from sekisho.model.statements import (
    CharterAdopted,
    LicenceIssued,
    LicenceRevoked,
    Lineage,
    Predicate,
    Reference,
    Scope,
    Span,
    Statement,
    make_payload,
    parse_payload,
)
from sekisho.operations.countersigning import KeyWithoutPower, verify_countersign
from sekisho.operations.difference import check_licence, compare_charter, compare_order, place_of
from sekisho.operations.footing import Footing, ForeignDocument
from sekisho.operations.state import State, fold_log, start_state
from tests import factory
from tests.cli.ceremonies import LICENSED, PAUSED, T0, sealed_until
from tests.factory_bundle import Cast


def state_until(second: int) -> State:
    files = sealed_until(second).files
    path = next(name for name in files if "/entries/" in name)
    count = Tile.from_path(path.removeprefix("log/")).width
    entries = decode_bundle(files[path], count, path=path)
    return fold_log(start_state(sealed_until(second).root), entries)[0]


@pytest.fixture(scope="module")
def state() -> State:
    return state_until(LICENSED)


NOW = T0.plus(LICENSED)
ROOT = sealed_until(LICENSED).root


def footing(state: State) -> Footing:
    return Footing(root=ROOT, charter=state.regime.charter, state=state)


def statement(predicate: Predicate) -> Statement:
    return parse_payload(make_payload(predicate))


def check(
    on: Footing, predicate: Predicate, key: str = "authority-1", now: float = LICENSED
) -> None:
    key_id = Cast().signer(key).public.key_id
    verify_countersign(on, statement(predicate), (), key_id, now=T0.plus(now))


def licence(state: State) -> LicenceIssued:
    (held,) = state.licences.licences.values()
    return held.licence


def revocation(state: State, **changes: object) -> LicenceRevoked:
    (held,) = state.licences.licences.values()
    fact = LicenceRevoked(
        effective=NOW,
        licence=Reference(log=factory.ORIGIN, leaf=held.leaf),
        number="LIC-1",
        reason="breach",
    )
    return msgspec.structs.replace(fact, **changes)


def test_a_revocation_is_signed_once_and_for_the_licence_it_names(state: State) -> None:
    """Another log, another number, and a key without the power are refused."""
    check(footing(state), revocation(state))
    with pytest.raises(StateConflict):
        check(footing(state), revocation(state, number="LIC-2"))
    elsewhere = Reference(log="other.example/log", leaf="0" * 64)
    with pytest.raises(ForeignDocument):
        check(footing(state), revocation(state, licence=elsewhere))
    with pytest.raises(KeyWithoutPower):
        check(footing(state), revocation(state), key="verifier-1")


def test_an_expired_charter_stops_licences_and_amendments_only(state: State) -> None:
    """Orders go on under an expired charter, new licences and versions do not."""
    charter = state.regime.in_force()
    late = charter.terms.expires.since(T0) + 1
    at = T0.plus(late)
    order = factory.order_issued(charter_digest=charter.digest, now=at)
    check(footing(state), order, now=late)
    new = msgspec.structs.replace(
        licence(state), number="LIC-2", period=Span(start=at, end=at.plus(60)), effective=at
    )
    amended = msgspec.structs.replace(charter.terms, version=2, previous=charter.digest)
    for fact in (new, amended):
        with pytest.raises(StateConflict, match="expired"):
            check(footing(state), fact, now=late)


def test_nothing_is_signed_without_a_footing(state: State) -> None:
    """No root and no charter: refused; unknown fields: refused before anything else."""
    order = factory.order_issued(charter_digest=state.regime.in_force().digest, now=NOW)
    for on in (Footing(), Footing(root=ROOT)):
        with pytest.raises(SekishoError):
            check(on, order)
    with pytest.raises(NotAuthorised):
        check(footing(state), order, key="stranger")
    with pytest.raises(UnknownCriticalField):
        verify_countersign(footing(state), statement(order), ("mercy",), "", now=NOW)


def test_version_one_is_signed_where_no_root_is_yet() -> None:
    """The first charter has nothing before it: its own keys sign it, others do not."""
    terms: CharterAdopted = Cast().charter()
    check(Footing(), terms)
    check(Footing(root=ROOT), terms)
    with pytest.raises(KeyWithoutPower):
        check(Footing(), terms, key="operator-1")


def test_a_licence_is_held_against_the_log(state: State) -> None:
    """Taken number, other devices, other lineage, other pack, too much FLOP: each is said."""
    held = licence(state)
    fresh = msgspec.structs.replace(held, number="LIC-2", budget_flop="0")
    assert check_licence(state, fresh, "0" * 64) == []
    again = msgspec.structs.replace(held, budget_flop="0")
    assert check_licence(state, again, "0" * 64) == ["number LIC-1 is taken"]
    (twice,) = check_licence(state, msgspec.structs.replace(held, number="LIC-2"), "0" * 64)
    assert "licensed for this run already" in twice
    pack = msgspec.structs.replace(held.decision.pack, version="9")
    changes: dict[str, object] = {
        "devices_root": "0" * 64,
        "lineage": Lineage(scratch=False),
        "budget_flop": "1000000000001",
        "hosts": ("host-1", "host-9"),
        "licensee": "party-9",
        "run": "run-9",
        "decision": msgspec.structs.replace(held.decision, pack=pack),
        "lease": msgspec.structs.replace(held.lease, grace_s=7200),
    }
    for name, value in changes.items():
        changed = msgspec.structs.replace(fresh, **{name: value})
        assert check_licence(state, changed, "0" * 64), name


def test_the_place_of_an_order_in_its_register() -> None:
    """Next, in the log already, beside another, ahead, or in no register."""
    state = state_until(PAUSED)
    (known,) = state.orders.in_force(T0.plus(PAUSED))
    order, book = known.order, state.orders
    later = msgspec.structs.replace(order, number=2, previous=known.digest)
    assert place_of(book, order, known.digest) == "logged"
    assert place_of(book, order, "0" * 64) == "taken"
    assert place_of(book, later, "0" * 64) == "next"
    assert place_of(book, msgspec.structs.replace(later, number=3), "0" * 64) == "gap"
    foreign = msgspec.structs.replace(order, register="pause/FR")
    assert place_of(book, foreign, "0" * 64) == "no-register"


def test_a_milder_order_beside_a_stricter_one_changes_nothing() -> None:
    """The strictest wins: a freeze on a stopped host is no change, and the difference says what is in force."""
    state = state_until(PAUSED)
    (known,) = state.orders.in_force(T0.plus(PAUSED))
    milder = msgspec.structs.replace(
        known.order, number=2, previous=known.digest, effect="freeze", scope=Scope(everywhere=True)
    )
    found = compare_order(state, milder, "0" * 64, now=T0.plus(PAUSED))
    assert (found.place, found.strictest, found.changes) == ("next", "checkpoint-then-stop", ())
    assert [o.number for o in found.in_force] == [1]


def test_equal_charters_have_no_difference() -> None:
    """A version that changes only its number changes nothing that people must compare."""
    terms = Cast().charter()
    assert compare_charter(terms, msgspec.structs.replace(terms, version=2)) == ()
