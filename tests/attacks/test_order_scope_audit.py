"""Scopes that a log holds although its desk should have refused them: the auditor resolves them again."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from sekisho.auditor import CheckResult
from sekisho.ledger import Frontier
from sekisho.model.statements import (
    HostRetired,
    OrderIssued,
    ResolvedScope,
    Scope,
    make_payload,
    parse_payload,
)
from sekisho.orders.membership import HostTree, host_leaf
from sekisho.orders.predicates import resolve_hosts
from sekisho.orders.where import parse_where
from sekisho.signing import Envelope, sign_payload
from tests.factory_bundle import (
    QUORUM,
    T0,
    Item,
    LogSoFar,
    Story,
    audit,
    check_of,
    honest_story,
    item,
    pause,
    resume,
    seal,
)

SITE = parse_where(["site is site-1 and driver is process"])
Bend = Callable[[ResolvedScope], ResolvedScope]


def resolved(log: LogSoFar, *hosts: str) -> ResolvedScope:
    """As a drafter does, in the tree that stands when the order is made."""
    position = log.position()
    return resolve_hosts(SITE, hosts, size=position.size, tree=position.root)


def scoped(make: Item, given: Callable[[LogSoFar], ResolvedScope]) -> Item:
    """An order of the story with a predicate in its scope's place, signed anew."""

    def order(log: LogSoFar) -> Envelope:
        fact = parse_payload(make(log).payload).predicate
        assert isinstance(fact, OrderIssued)
        bent = msgspec.structs.replace(fact, scope=Scope(), resolved=given(log))
        return sign_payload(make_payload(bent), log.cast.signers(*QUORUM))

    return order


def story(bend: Bend = lambda scope: scope) -> Story:
    """The honest story, its pause and resume by predicate; `bend` changes what the pause's signers signed."""
    told = honest_story()
    kept: list[ResolvedScope] = []

    def given(log: LogSoFar) -> ResolvedScope:
        if not kept:
            kept.append(bend(resolved(log, "host-1")))
        return kept[0]

    told.replace("pause-1", scoped(pause(), given))
    told.replace("resume-1", scoped(resume(), given))
    return told


def check(told: Story) -> CheckResult:
    return check_of(audit(seal(told)), "order-scopes")


def test_an_honest_scope_holds() -> None:
    """Resolved anew in its tree it gives the signed root and count; its resume repeats it long after."""
    report = audit(seal(story()))
    found = check_of(report, "order-scopes")
    assert found.verdict == "holds", found
    assert found.detail == "pause/JP 1: 1 hosts; resume/JP 1: 1 hosts"
    assert check_of(report, "registers").verdict == "holds"


def test_a_log_without_predicates_says_so() -> None:
    """No order by predicate is no fault."""
    assert check(honest_story()).detail == "no order names its hosts by a predicate"


def _wider(scope: ResolvedScope) -> ResolvedScope:
    return msgspec.structs.replace(scope, predicate=parse_where(["site is site-2"]))


def _root_swapped(scope: ResolvedScope) -> ResolvedScope:
    return msgspec.structs.replace(scope, root=HostTree([host_leaf("host-9")]).root)


def _count_lied(scope: ResolvedScope) -> ResolvedScope:
    return msgspec.structs.replace(scope, count=2)


def _other_tree(scope: ResolvedScope) -> ResolvedScope:
    return msgspec.structs.replace(scope, tree="ab" * 32)


def _tree_to_come(scope: ResolvedScope) -> ResolvedScope:
    return msgspec.structs.replace(scope, size=scope.size + 20)


def _before_the_host(scope: ResolvedScope) -> ResolvedScope:
    return msgspec.structs.replace(scope, size=0, tree=Frontier().root().hex())


@pytest.mark.parametrize(
    ("bend", "why"),
    [
        (_wider, "widened-scope"),
        (_root_swapped, "widened-scope"),
        (_count_lied, "widened-scope"),
        (_other_tree, "a tree of another log"),
        (_tree_to_come, "which came later"),
        (_before_the_host, "widened-scope"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_scope_that_differs_from_its_predicate_fails(bend: Bend, why: str) -> None:
    """Whatever quorum signed it and whatever desk took it."""
    found = check(story(bend))
    assert (found.verdict, why in found.detail) == ("fails", True), found


def test_an_entry_that_nobody_vouches_for_leaves_it_open() -> None:
    """What stands before the tree's end and cannot be read may have been about hosts: nobody can tell."""
    told = story()
    gone = HostRetired(effective=T0.plus(1), host="host-9", reason="an example")
    told.insert_after("host", "forged", item(gone, "stranger-1"))
    assert check(told).verdict == "unverifiable"
