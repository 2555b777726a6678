"""An order in words: whom it touches, what it does to them, until when, and what it changes."""

from __future__ import annotations

from sekisho.ceremony import (
    OrderDifference,
    State,
    check_hold_limits,
    compare_order,
    preview_order,
)
from sekisho.cli.durations import length_in_words, when_in_words
from sekisho.cli.plain_text import tame
from sekisho.cli.words.page import Page, names
from sekisho.cli.words.reach import describe_reach
from sekisho.cli.words.scopes import describe_resolved, predicate_in_words
from sekisho.model.statements import (
    AccessTerms,
    OrderIssued,
    OrderReference,
)
from sekisho.model.wire import to_plain
from sekisho.orders import WrongRegister, check_order, check_release

__all__ = ["describe_order", "predicate_in_words", "scope_in_words"]

_SCOPE = (
    "sites",
    "licensees",
    "licences",
    "runs",
    "lineages",
    "chips",
    "jurisdictions",
    "hosts",
)


def describe_order(page: Page, order: OrderIssued, digest: str) -> None:
    """Every field of an order, with its reach and its difference where a log was read."""
    language, now = page.view.language, page.view.now
    page.title = page.say(f"show.kind.{order.kind}")
    page.tell(
        "number",
        "order.number",
        register=order.register,
        number=order.number,
        previous=order.previous[:16],
    )
    page.add("log", order.log)
    _describe_charter(page, order)
    if order.resolved is not None:
        describe_resolved(page, order, order.resolved)
    else:
        page.add("scope", scope_in_words(page, order))
    if order.access is not None:
        _describe_access(page, order.access)
    _describe_reach(page, order)
    if order.exemptions:
        page.add("exempt", names(order.exemptions))
    page.tell("effect", f"effect.{order.effect}", percent=order.cap_percent)
    page.add("grace", length_in_words(order.grace_s, language))
    page.add("drafted", when_in_words(order.effective, now, language))
    page.add("begins", when_in_words(order.not_before, now, language))
    page.add("expires", when_in_words(order.expires, now, language))
    lasting = "resume" if order.kind == "resume" else order.on_expiry
    page.tell("on_expiry", f"on_expiry.{lasting}")
    page.add("issue_until", when_in_words(order.issue_until, now, language))
    page.quote("legal_basis", order.legal_basis)
    page.quote("appeal", order.appeal)
    if order.drill:
        page.tell("drill", "drill.resume" if order.kind == "resume" else "drill")
    for lifted in order.lifts:
        page.add("lifts", _lifted_in_words(page, lifted))
    _describe_difference(page, order, digest)
    _warn_of_order(page, order, digest)


def scope_in_words(page: Page, order: OrderIssued) -> str:
    """Who is meant: those whom a predicate named; else every attribute must match, any of its values does."""
    if order.resolved is not None:
        predicate = predicate_in_words(page, order.resolved.predicate)
        return page.say("show.scope.resolved", predicate=predicate, count=order.resolved.count)
    scope = order.scope
    if scope.everywhere:
        return page.say("show.scope.everywhere")
    given = [
        page.say(f"show.scope.{name}", names=names(getattr(scope, name)))
        for name in _SCOPE
        if getattr(scope, name)
    ]
    return page.say("show.scope.and").join(given) or page.say("show.scope.nobody")


def _describe_access(page: Page, access: AccessTerms) -> None:
    page.tell(
        "access",
        "access",
        models=names(access.models) or page.say("show.access.every-model"),
        users=_users_in_words(page, access),
    )
    page.tell("access", f"access.unknown.{access.unknown}")


def _users_in_words(page: Page, access: AccessTerms) -> str:
    """Any of the classes named; a list that is empty names nobody, both empty name everybody."""
    classes = [
        page.say(f"show.access.{word}", names=names(values))
        for word, values in (
            ("nationalities", access.nationalities),
            ("jurisdictions", access.jurisdictions),
        )
        if values
    ]
    return page.say("show.scope.or").join(classes) or page.say("show.access.everybody")


def _describe_charter(page: Page, order: OrderIssued) -> None:
    charter = page.view.footing.charter
    if charter is None:
        page.tell("charter", "charter.unknown", digest=order.charter[:16])
    elif charter.digest == order.charter:
        version, name = charter.terms.version, tame(charter.terms.name)
        page.tell("charter", "charter.same", digest=order.charter[:16], version=version, name=name)
    else:
        page.tell("charter", "charter.unknown", digest=order.charter[:16])
        page.warn("other-charter", order=order.charter[:16], in_force=charter.digest[:16])
    root = page.view.footing.root
    if root is not None and root.origin != order.log:
        page.warn("other-log", document=order.log, trusted=root.origin)


def _describe_reach(page: Page, order: OrderIssued) -> None:
    state = page.view.footing.state
    page.data["scope"] = to_plain(order.scope)
    if state is None:
        page.data["reach"] = None
        page.tell("covers", "covers.unknown")
        return
    reach = preview_order(state, order, page.view.seen, now=page.view.now)
    page.data["reach"] = to_plain(reach)
    describe_reach(page, reach)
    if not reach.hosts:
        page.warn("nobody")


def _lifted_in_words(page: Page, lifted: OrderReference) -> str:
    where = f"{lifted.register} {lifted.number} ({lifted.digest[:16]})"
    state = page.view.footing.state
    if state is None:
        return where
    known = state.orders.find(lifted)
    if known is None:
        page.warn("lifts-nothing", order=where)
        return where
    in_force = {o.digest for o in state.orders.in_force(page.view.now)}
    word = "lifts.in_force" if known.digest in in_force else "lifts.over"
    return page.say(f"show.{word}", order=where, scope=scope_in_words(page, known.order))


def _describe_difference(page: Page, order: OrderIssued, digest: str) -> None:
    state = page.view.footing.state
    page.data["difference"] = None
    if state is None or state.regime.charter is None:
        page.tell("change", "change.unknown")
        return
    found = compare_order(state, order, digest, now=page.view.now)
    page.data["difference"] = to_plain(found)
    page.tell(
        "in_force",
        f"in_force.{found.strictest or 'nothing'}",
        orders=names(f"{o.register} {o.number}" for o in found.in_force) or "-",
    )
    if found.place != "next":
        page.tell("change", "change.none")
        page.warn(f"place.{found.place}", register=order.register, number=order.number)
    else:
        _describe_changes(page, found)
    for problem in check_release(order, state.orders):
        page.warn("fault", why=problem)
    if found.place != "no-register":
        _warn_of_register(page, order, state)


def _warn_of_register(page: Page, order: OrderIssued, state: State) -> None:
    try:
        state.orders.check_register(order, state.regime.in_force().terms.registers)
    except WrongRegister as error:
        page.warn("fault", why=tame(str(error)))


def _describe_changes(page: Page, found: OrderDifference) -> None:
    groups: dict[tuple[str, str], list[str]] = {}
    for change in found.changes:
        pair = (change.before or "nothing", change.after or "nothing")
        groups.setdefault(pair, []).append(change.host)
    for (before, after), hosts in groups.items():
        page.tell(
            "change",
            "change",
            before=page.say(f"show.demand.{before}"),
            after=page.say(f"show.demand.{after}"),
            count=len(hosts),
            names=names(hosts),
        )
    if not groups:
        page.tell("change", "change.none")


def _warn_of_order(page: Page, order: OrderIssued, digest: str) -> None:
    now, charter = page.view.now, page.view.footing.charter
    if order.scope.everywhere:
        page.warn("everywhere")
    if order.expires <= now:
        page.warn("expired", at=order.expires)
    if order.issue_until <= now:
        page.warn("stale", at=order.issue_until)
    if charter is not None:
        for problem in check_order(order, charter):
            page.warn("fault", why=tame(problem))
    state = page.view.footing.state
    if state is not None and order.kind == "hold":
        for problem in check_hold_limits(state, order, digest):
            page.warn("hold-limit", why=tame(problem))
