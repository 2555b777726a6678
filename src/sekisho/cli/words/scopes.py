"""A scope that was resolved, in words: the predicate, its hosts with why, and what differs in the reader's own log."""

from __future__ import annotations

from sekisho.ceremony import State, name_at, name_newcomers, verify_scope, verify_tree
from sekisho.cli.plain_text import tame
from sekisho.cli.words.page import Page, names
from sekisho.model.errors import InvalidInput, SekishoError
from sekisho.model.statements import HostLimb, HostPredicate, OrderIssued, ResolvedScope
from sekisho.orders.predicates import Named

__all__ = ["describe_resolved", "limb_in_words", "predicate_in_words"]

MAX_WHY = 20


def predicate_in_words(page: Page, predicate: HostPredicate) -> str:
    """A predicate as any of groups, each of conditions that must all hold."""
    groups = (
        page.say("show.scope.and").join(limb_in_words(page, limb) for limb in group.all_of)
        for group in predicate.any_of
    )
    return page.say("show.scope.or").join(groups)


def limb_in_words(page: Page, limb: HostLimb) -> str:
    """One condition."""
    return page.say(f"show.limb.{limb.op}", quantity=limb.quantity, values=names(limb.values))


def describe_resolved(page: Page, order: OrderIssued, resolved: ResolvedScope) -> None:
    """What was signed, and whether the reader's own copy of the log gives the same hosts in the same tree."""
    page.add("scope", predicate_in_words(page, resolved.predicate))
    page.tell(
        "resolved",
        "resolved",
        count=resolved.count,
        root=resolved.root[:16],
        size=resolved.size,
        tree=resolved.tree[:16],
    )
    state = page.view.footing.state
    page.data["named"] = None
    if state is None:
        page.warn("scope-unchecked")
        return
    try:
        verify_scope(state.rosters, resolved, log_size=state.size)
        if page.view.footing.root_at is not None:
            verify_tree(resolved, page.view.footing.root_at)
        found = name_at(state.rosters, resolved.predicate, resolved.size)
    except SekishoError as error:
        page.warn("scope-differs", why=tame(str(error)))
        return
    _describe_hosts(page, resolved, found)
    _describe_newcomers(page, state, order, resolved)


def _describe_hosts(page: Page, resolved: ResolvedScope, found: tuple[Named, ...]) -> None:
    page.data["named"] = [
        {"host": one.host, "group": one.group, "unknown": [limb.quantity for limb in one.unknown]}
        for one in found
    ]
    for one in found[:MAX_WHY]:
        group = resolved.predicate.any_of[one.group - 1]
        page.tell(
            "named",
            "named.unknown" if one.unknown else "named",
            host=tame(one.host),
            why=page.say("show.scope.and").join(limb_in_words(page, each) for each in group.all_of),
            unknown=names(dict.fromkeys(limb.quantity for limb in one.unknown)),
        )
    if len(found) > MAX_WHY:
        page.tell("named", "named.more", count=len(found) - MAX_WHY)


def _describe_newcomers(
    page: Page, state: State, order: OrderIssued, resolved: ResolvedScope
) -> None:
    """Hosts that the predicate would name now: the order is not for them, and its readers must know."""
    try:
        fresh = name_newcomers(state.rosters, resolved)
    except InvalidInput:
        return
    page.data["not_covered"] = list(fresh)
    if fresh and order.kind != "resume":
        page.warn("scope-newcomers", count=len(fresh), names=names(fresh), size=resolved.size)
