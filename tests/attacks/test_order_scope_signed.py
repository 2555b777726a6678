"""Scopes that were bent between drafting and the log: desk and signer resolve them again, and refuse by name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from sekisho.model.errors import StateConflict, VerificationError
from sekisho.model.statements import (
    LicenceSuspended,
    OrderReference,
    Reference,
    ResolvedScope,
    Scope,
    make_payload,
    parse_payload,
)
from sekisho.operations.countersigning import verify_document
from sekisho.operations.footing import Footing
from sekisho.operations.resolving import OtherTree, StaleScope
from sekisho.orders import OrderFault
from sekisho.orders.membership import HostTree, host_leaf
from sekisho.orders.predicates import WidenedScope
from sekisho.orders.where import parse_where
from tests import factory as f
from tests.scoped import ScopedDesk, enrol, resolved

BIG = ("devices at-least 8",)
SMALL = ("devices at-least 4",)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[ScopedDesk]:
    with ScopedDesk(tmp_path) as desk:
        yield desk.founded()


def refused(desk: ScopedDesk, scope: ResolvedScope, error: type[VerificationError]) -> None:
    """The desk does not take it, and a signer's own copy of the log refuses it before that."""
    size = desk.desk.state.size
    envelope = desk.order(resolved=scope)
    with pytest.raises(error):
        desk.desk.admit(envelope.raw)
    assert desk.desk.state.orders.heads["pause/JP"].number == 0
    assert desk.desk.state.size == size

    state = desk.desk.state
    footing = Footing(
        root=desk.root,
        charter=state.regime.charter,
        state=state,
        root_at=desk.sequencer.root_at,
    )
    with pytest.raises(error):
        verify_document(footing, parse_payload(envelope.payload), (), now=desk.clock.now())


def test_predicate_widened_after_signing(desk: ScopedDesk) -> None:
    """A wider predicate over the root and count of the narrow one is told by both."""
    narrow = resolved(desk, BIG)
    refused(desk, msgspec.structs.replace(narrow, predicate=parse_where(SMALL)), WidenedScope)


def test_a_host_added_under_the_count(desk: ScopedDesk) -> None:
    """Another host in the root, the predicate as it was: the root is not the predicate's."""
    narrow, wide = resolved(desk, BIG), HostTree(map(host_leaf, ("host-1", "host-2")))
    bent = msgspec.structs.replace(narrow, root=wide.root, count=wide.size)
    refused(desk, bent, WidenedScope)


def test_root_swapped(desk: ScopedDesk) -> None:
    """As many hosts, but others."""
    swapped = HostTree([host_leaf("host-3")]).root
    refused(desk, msgspec.structs.replace(resolved(desk, BIG), root=swapped), WidenedScope)


@pytest.mark.parametrize("count", [0, 2, 1_000])
def test_count_lied(desk: ScopedDesk, count: int) -> None:
    """A count that is not the predicate's would make room for proofs of another tree."""
    refused(desk, msgspec.structs.replace(resolved(desk, BIG), count=count), WidenedScope)


def test_a_tree_that_this_log_never_had(desk: ScopedDesk) -> None:
    """Who drafted on another log, or on a fork of this one, read another tree."""
    bent = msgspec.structs.replace(resolved(desk, BIG), tree="ab" * 32)
    refused(desk, bent, OtherTree)


def test_a_tree_that_is_still_to_come(desk: ScopedDesk) -> None:
    """Nobody resolves in a tree ahead of the log, whatever it will hold."""
    bent = msgspec.structs.replace(resolved(desk, BIG), size=desk.desk.state.size + 10)
    refused(desk, bent, OtherTree)


def test_an_earlier_tree_in_which_a_host_was_not_there_yet(desk: ScopedDesk) -> None:
    """Root and count of today under yesterday's tree are not what that tree gives."""
    early = resolved(desk, BIG, size=desk.desk.state.size - 4)
    now = resolved(desk, BIG)
    assert early.count == 0
    refused(desk, msgspec.structs.replace(early, root=now.root, count=now.count), WidenedScope)


def test_a_reading_that_is_older_than_any_signature_may_be(desk: ScopedDesk) -> None:
    """Three days after its tree was over a scope is drafted anew: hosts that came since would be left out."""
    scope = resolved(desk, BIG)
    enrol(desk, "host-4", devices=16)
    desk.sequencer.take_cosigned(desk.cosigned().note.to_bytes())
    desk.desk.mark_time()
    desk.clock.move(72 * 3600 + 2)
    with pytest.raises(StaleScope):
        desk.desk.admit(desk.order(resolved=scope).raw)


def test_scope_with_both_attributes_and_predicate(desk: ScopedDesk) -> None:
    """A scope is given in one way: nobody reads the one and signs the other."""
    for plain in (Scope(sites=("site-1",)), Scope(everywhere=True)):
        with pytest.raises(OrderFault, match="no attribute may stand beside it"):
            desk.desk.admit(desk.order(BIG, scope=plain).raw)


def test_a_condition_that_nobody_can_evaluate(desk: ScopedDesk) -> None:
    """A name compared as a number is no scope, at any desk and any agent."""
    scope = resolved(desk, BIG)
    limb = msgspec.structs.replace(scope.predicate.any_of[0].all_of[0], quantity="site")
    group = msgspec.structs.replace(scope.predicate.any_of[0], all_of=(limb,))
    bent = msgspec.structs.replace(
        scope, predicate=msgspec.structs.replace(scope.predicate, any_of=(group,))
    )
    with pytest.raises(OrderFault, match="is or is-not"):
        desk.desk.admit(desk.order(resolved=bent).raw)


def test_a_resume_with_a_narrower_predicate(desk: ScopedDesk) -> None:
    """Both scopes are empty of attributes, and still not the same: it lifts nothing and does not enter."""
    envelope = desk.order(SMALL)
    order = desk.issue(envelope)
    paused = OrderReference(register=order.register, number=1, digest=envelope.digest)
    narrow = desk.order(BIG, kind="resume", effect="lift", on_expiry="lapse", lifts=(paused,))
    with pytest.raises(StateConflict, match="scope is not that of order"):
        desk.desk.admit(narrow.raw)
    assert len(desk.desk.state.orders.in_force(desk.clock.now())) == 1


def test_a_host_that_loses_its_licence_to_escape(desk: ScopedDesk) -> None:
    """What is unknown counts as holding: without a licence that stands a host is in by its newest one."""
    licence = desk.licensed()
    desk.desk.admit(
        f.signed(
            LicenceSuspended(
                effective=desk.clock.now(),
                licence=Reference(log=f.ORIGIN, leaf=licence.leaf),
                number="LIC-1",
                reason="an example",
            ),
            *f.AUTHORITY[:2],
        ).raw
    )
    assert resolved(desk, ("run is run-1 and host is host-1",)).count == 1
    assert resolved(desk, ("run is run-9 and host is host-2",)).count == 1
    assert resolved(desk, ("run is run-9 and host is host-1",)).count == 0


def test_the_bytes_that_were_signed_hold_root_and_count(desk: ScopedDesk) -> None:
    """A scope changed after signing is another payload: no signature is under it."""
    envelope = desk.order(BIG)
    order = parse_payload(envelope.payload).predicate
    widened = msgspec.structs.replace(order, resolved=resolved(desk, SMALL))
    assert make_payload(widened) != envelope.payload
