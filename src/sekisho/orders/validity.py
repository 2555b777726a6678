"""Whether an order may be issued, and whether an agent may act on it. Pure; each refusal has its own name.

Restricting acts on sight over any channel; releasing acts only with witnessed inclusion and a register head at least
as new as what it lifts. Time: what restricts begins by the latest clock and ends by the earliest. Source: protocol
sections 4 and 8.
"""

from __future__ import annotations

from sekisho.model.errors import InvalidInput, VerificationError
from sekisho.model.instants import Instant
from sekisho.model.statements import OrderIssued, Scope
from sekisho.orders.predicates import check_predicate
from sekisho.orders.registers import KnownOrder, OrderBook, lifts_order
from sekisho.signing.charter import Charter

__all__ = [
    "ExpiredOrder",
    "ForeignOrder",
    "OrderFault",
    "StaleSignatures",
    "UnwitnessedRelease",
    "UnwitnessedSeal",
    "check_order",
    "check_release",
    "verify_issue",
    "verify_on_sight",
]

HOLD_LIMIT_S = 24 * 3600
ISSUE_LIMIT_S = 72 * 3600


class OrderFault(VerificationError):
    """The order says something that no order of its kind may say."""

    code = "order-fault"


class ForeignOrder(VerificationError):
    """The order is for another log or another charter than the one at hand."""

    code = "foreign-order"


class ExpiredOrder(VerificationError):
    """The order had expired before it came here."""

    code = "expired-order"


class StaleSignatures(VerificationError):
    """The order waited longer for its quorum than its signatures allow."""

    code = "stale-signatures"


class UnwitnessedSeal(VerificationError):
    """A sealed hold that was not seen in a witnessed checkpoint: nobody looked into it, and few keys signed it.

    On sight it would freeze whom it does not name, day after day, since no limit of holds counts what is not shown.
    """

    code = "unwitnessed-seal"


class UnwitnessedRelease(VerificationError):
    """A resume that was not seen in a witnessed checkpoint: releasing never acts on sight."""

    code = "unwitnessed-release"


def check_order(order: OrderIssued, charter: Charter) -> list[str]:
    """Every rule that the order itself breaks, in words; an empty list where it is sound."""
    problems = [*_check_times(order), *_check_effect(order)]
    grant = charter.grant_of(order.kind)
    length = order.expires.since(order.not_before)
    if grant is not None and grant.max_duration_s is not None and length > grant.max_duration_s:
        problems.append(f"lasts {length:.0f} s, the charter allows {grant.max_duration_s} s")
    if order.grace_s > charter.terms.max_grace_s:
        problems.append(
            f"its grace of {order.grace_s} s is above the charter's {charter.terms.max_grace_s} s"
        )
    if order.kind == "pause" and order.on_expiry != charter.terms.pause_on_expiry:
        problems.append(
            f"what its expiry does is fixed by the charter: {charter.terms.pause_on_expiry}"
        )
    return problems


def check_release(release: OrderIssued, book: OrderBook) -> list[str]:
    """Why a resume would not lift what it names: whom its scope leaves out, it must not release."""
    return [
        _why_not_lifted(release, found)
        for lifted in release.lifts
        if (found := book.find(lifted)) is not None
        and (found.order.kind == "resume" or not lifts_order(release, found))
    ]


def verify_issue(order: OrderIssued, charter: Charter, *, log: str, now: Instant) -> None:
    """Raise the named error where the order may not be issued now: foreign, faulty, expired, waited too long."""
    _verify_home(order, charter, log)
    problems = check_order(order, charter)
    if problems:
        raise OrderFault(f"order {order.register} {order.number}: {'; '.join(problems)}")
    if order.expires <= now:
        raise ExpiredOrder(f"order {order.register} {order.number} expired at {order.expires}")
    if order.issue_until <= now:
        raise StaleSignatures(
            f"the signatures of order {order.register} {order.number} were good for issue until {order.issue_until}",
            remedy="draft it anew and have it signed again",
        )


def verify_on_sight(
    known: KnownOrder,
    charter: Charter,
    book: OrderBook,
    *,
    log: str,
    earliest: Instant,
    seen: Instant | None = None,
) -> None:
    """Raise where an agent must not take this order now; its quorum is already verified by the caller.

    `seen` is when an order that is told again, after a restart, was taken first: signatures age until then.
    """
    order = known.order
    _verify_home(order, charter, log)
    problems = check_order(order, charter)
    if problems:
        raise OrderFault(f"order {order.register} {order.number}: {'; '.join(problems)}")
    if order.kind == "resume":
        _verify_release(known, book)
    elif order.kind == "hold" and known.sealed is not None and not known.witnessed:
        raise UnwitnessedSeal(
            f"hold {order.register} {order.number} is sealed and was not seen in a witnessed checkpoint",
            remedy="show an open hold by hand; a sealed one acts once the log has it",
        )
    elif order.expires <= earliest and order.on_expiry == "lapse" and not known.witnessed:
        # A witnessed one is taken all the same: it asks nothing any more, but its number must not stay outstanding.
        raise ExpiredOrder(f"order {order.register} {order.number} expired at {order.expires}")
    elif order.issue_until <= (seen or earliest) and not known.witnessed:
        # What the log took, it took in time; signatures from a drawer must not stop anybody.
        raise StaleSignatures(
            f"the signatures of order {order.register} {order.number} were good for issue until {order.issue_until}",
            remedy="show it with its proof if the log holds it, else have it signed anew",
        )


def _verify_home(order: OrderIssued, charter: Charter, log: str) -> None:
    if order.log != log:
        raise ForeignOrder(f"the order is for the log {order.log}, this is {log}")
    if order.charter != charter.digest:
        raise ForeignOrder(
            f"the order stands under charter {order.charter[:16]}, in force is {charter.digest[:16]}"
        )


def _verify_release(known: KnownOrder, book: OrderBook) -> None:
    if not known.witnessed:
        raise UnwitnessedRelease(
            f"resume {known.order.number} was not seen in a witnessed checkpoint",
            remedy="wait for the witnesses; a release never acts on sight",
        )
    for lifted in known.order.lifts:
        head = book.heads.get(lifted.register)
        if head is None or head.number < lifted.number:
            raise UnwitnessedRelease(
                f"the resume lifts order {lifted.register} {lifted.number}, "
                f"the newest head known is {head.number if head else 'none'}"
            )
    problems = check_release(known.order, book)
    if problems:
        raise OrderFault(f"resume {known.order.number}: {'; '.join(problems)}")


def _why_not_lifted(release: OrderIssued, found: KnownOrder) -> str:
    where = f"order {found.order.register} {found.order.number}"
    if found.order.kind == "resume":
        return f"{where} is a resume itself: what it lifted is held again by a new order only"
    if release.drill and (found.sealed is not None or not found.order.drill):
        return f"it is a drill, and {where} is none that everybody can read: an exercise lifts exercises only"
    if found.sealed is not None:
        return f"{where} is sealed: a resume of it says everywhere"
    return f"its scope is not that of {where}: repeat that scope, or say everywhere"


def _check_times(order: OrderIssued) -> list[str]:
    problems = []
    if order.expires <= order.not_before:
        problems.append("expires before it begins")
    if not 0 < order.issue_until.since(order.effective) <= ISSUE_LIMIT_S:
        problems.append(
            "its signatures must be good for issue for more than nothing and at most 72 h"
        )
    if order.kind == "hold" and order.expires.since(order.not_before) > HOLD_LIMIT_S:
        problems.append("a hold lasts at most 24 h")
    return problems


def _check_effect(order: OrderIssued) -> list[str]:
    scope = order.scope
    problems = []
    allowed = {
        "hold": ("freeze",),
        "pause": ("freeze", "checkpoint-then-stop"),
        "cap": ("cap",),
        "suspend-access": ("suspend-access",),
        "resume": ("lift",),
    }
    if order.effect not in allowed[order.kind]:
        problems.append(f"a {order.kind} cannot have the effect {order.effect}")
    if (order.kind == "resume") != bool(order.lifts):
        problems.append("a resume names what it lifts, and nothing else does")
    if (order.kind == "cap") != (order.cap_percent is not None):
        problems.append("a cap says how many percent are left, and nothing else does")
    if (order.kind == "suspend-access") != (order.access is not None):
        problems.append("a suspend-access says whose access it ends, and nothing else does")
    if order.kind == "resume" and order.exemptions:
        problems.append("a resume lifts an order whole: it can exempt nobody from that")
    if order.kind == "hold" and order.on_expiry != "lapse":
        problems.append("a hold lapses at its expiry")
    problems += _check_resolved(order)
    plain = (scope.sites, scope.licensees, scope.licences, scope.runs, scope.lineages, scope.chips)
    if (
        order.resolved is None
        and any((*plain, scope.jurisdictions, scope.hosts)) == scope.everywhere
    ):
        problems.append("its scope must give an attribute or say everywhere, and not both")
    return problems


def _check_resolved(order: OrderIssued) -> list[str]:
    """What a resolved scope may not say: attributes beside it, or conditions that nobody can evaluate."""
    if order.resolved is None:
        return []
    problems = []
    if order.scope != Scope():
        problems.append("its scope is given by a predicate, so no attribute may stand beside it")
    try:
        check_predicate(order.resolved.predicate)
    except InvalidInput as error:
        problems.append(str(error))
    return problems
