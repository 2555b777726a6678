"""Predicates resolved on a real log: by drafter, desk, signer and feed alike."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from sekisho.model.statements import (
    OrderIssued,
    OrderReference,
    Scope,
    make_payload,
    parse_payload,
)
from sekisho.operations.countersigning import verify_document
from sekisho.operations.feed import Feed
from sekisho.operations.footing import Footing
from sekisho.operations.ordering import OrderPlan, draft_order
from sekisho.operations.resolving import name_at, name_newcomers
from sekisho.operations.state import facts_under, fold_log, start_state
from sekisho.orders.membership import decide_membership, host_leaf
from sekisho.orders.where import parse_where
from sekisho.signing import Envelope
from tests import factory as f
from tests.scoped import QUORUM, ScopedDesk, enrol, resolved

BIG = ("chip is 'H100 SXM5' and devices at-least 8",)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[ScopedDesk]:
    with ScopedDesk(tmp_path) as desk:
        yield desk.founded()


def covered(desk: ScopedDesk, envelope: Envelope) -> list[str]:
    state = desk.desk.state
    known = state.orders.find(reference(desk, envelope))
    assert known is not None
    return sorted(host.host for host in facts_under(state, known))


def reference(desk: ScopedDesk, envelope: Envelope) -> OrderReference:
    found = desk.desk.find(envelope.digest)
    assert found is not None
    assert isinstance(found.verified.predicate, OrderIssued)
    return OrderReference(
        register=found.verified.predicate.register,
        number=found.verified.predicate.number,
        digest=envelope.digest,
    )


def test_the_desk_takes_what_it_resolves_alike_and_covers_these_hosts(desk: ScopedDesk) -> None:
    """Root and count are those of the predicate, so the order enters and is for exactly its hosts."""
    envelope = desk.order(BIG)
    order = desk.issue(envelope)

    assert order.resolved is not None
    assert (order.resolved.count, covered(desk, envelope)) == (1, ["host-2"])


def test_any_group_names_a_host_and_each_with_its_reason(desk: ScopedDesk) -> None:
    """The group that holds is told; what is unknown of a host is named."""
    asked = parse_where(["devices at-least 8", "run is run-9"])
    found = name_at(desk.desk.state.rosters, asked, desk.desk.state.size)
    told = {one.host: (one.group, [limb.quantity for limb in one.unknown]) for one in found}
    assert told == {"host-1": (2, ["run"]), "host-2": (1, []), "host-3": (2, ["run"])}


def test_whoever_is_enrolled_afterwards_is_not_in_it_and_is_named(desk: ScopedDesk) -> None:
    """A scope is what its signers read; newcomers are shown as not covered."""
    envelope = desk.order(BIG)
    order = desk.issue(envelope)
    enrol(desk, "host-4", chip="H100 SXM5", devices=16)

    assert order.resolved is not None
    assert name_newcomers(desk.desk.state.rosters, order.resolved) == ("host-4",)
    assert covered(desk, envelope) == ["host-2"]


def test_a_host_that_changes_its_attributes_stays_in(desk: ScopedDesk) -> None:
    """What a host says of itself after the order was signed takes it out of nothing."""
    envelope = desk.order(BIG)
    desk.issue(envelope)
    again = msgspec.structs.replace(
        f.host_enrolled("host-2", of=f.signer("host-2"), now=desk.clock.now()), site="site-9"
    )
    desk.desk.admit(f.signed(again, f.AUTHORITY[0], f.OPERATOR).raw)
    assert covered(desk, envelope) == ["host-2"]


def test_the_feed_tells_each_host_its_own_proof(desk: ScopedDesk) -> None:
    """One page for whoever is in, another for whoever is not, and each proof holds under the signed root."""
    feed = Feed(desk.desk, desk.reader, run=1)
    desk.desk.on_recorded(feed.take_recorded)
    order = desk.issue(desk.order(BIG))
    assert order.resolved is not None

    for host, says in (("host-1", "out"), ("host-2", "in"), ("host-3", "out"), ("host-x", "out")):
        (item,) = feed.read(host, 0).items
        told = decide_membership(
            item.membership, host_leaf(host), root=order.resolved.root, size=order.resolved.count
        )
        assert told == says


def test_an_order_by_attributes_needs_no_proof(desk: ScopedDesk) -> None:
    """Its hosts match it by themselves, so the page is one for all."""
    feed = Feed(desk.desk, desk.reader, run=1)
    desk.desk.on_recorded(feed.take_recorded)
    fields = {"charter_digest": desk.charter_envelope.digest, "now": desk.clock.now()}
    desk.desk.admit(f.signed(f.order_issued(**fields), *QUORUM).raw)  # type: ignore[arg-type]  # a test's own fields
    (item,) = feed.read("host-1", 0).items
    assert item.membership is None


def test_a_signer_reads_the_same_hosts_in_the_same_tree(desk: ScopedDesk) -> None:
    """With one's own copy of the log the draft is confirmed, and nothing is said against it."""
    state = desk.desk.state
    order = draft_order(
        state,
        OrderPlan(
            kind="pause",
            scope=Scope(),
            effect="freeze",
            lasts_s=600,
            legal_basis="an example",
            appeal="none",
            resolved=resolved(desk, BIG),
        ),
        now=desk.clock.now(),
    )
    charter = state.regime.charter
    footing = Footing(root=desk.root, charter=charter, state=state, root_at=desk.sequencer.root_at)
    statement = parse_payload(make_payload(order))
    verify_document(footing, statement, (), now=desk.clock.now())


def test_a_resume_repeats_the_scope_however_old_it_is(desk: ScopedDesk) -> None:
    """Predicate, tree, root and count of what it lifts; a resume with another one lifts nothing."""
    paused = desk.order(BIG)
    order = desk.issue(paused)
    resume = desk.order(
        kind="resume",
        effect="lift",
        on_expiry="lapse",
        lifts=(reference(desk, paused),),
        resolved=order.resolved,
    )
    desk.desk.admit(resume.raw)
    assert desk.desk.state.orders.in_force(desk.clock.now()) == ()


def test_a_start_from_the_log_covers_the_same_hosts(desk: ScopedDesk) -> None:
    """Folding the log anew resolves each scope again, in the tree that it names."""
    envelope = desk.order(BIG)
    desk.issue(envelope)
    enrol(desk, "host-4", chip="H100 SXM5", devices=16)
    rows = desk.store.load_entries(0, desk.desk.state.size)
    again, _ = fold_log(start_state(desk.root), [row.envelope for row in rows])

    known = again.orders.find(reference(desk, envelope))
    assert known is not None
    assert known.named == frozenset({"host-2"})
