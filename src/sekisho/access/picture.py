"""Who may use which served model: the orders in force and the licences, drawn as one picture. Pure.

Three answers for each model: open, restricted (some classes of users are refused), closed. A class of users is what the
provider's own customer checks assert; a class that nobody asserted is served or refused as each order says, and the
strictest order counts. Whoever has no fresh picture refuses. Source: protocol sections 7 and 8.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final, Literal, TypeAlias

import msgspec

from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant
from sekisho.model.statements import AccessTerms, OrderReference
from sekisho.orders import HostFacts, KnownOrder, is_covered
from sekisho.orders.access import access_terms, names_model

__all__ = [
    "AccessCode",
    "AccessDecision",
    "AccessOrder",
    "AccessPicture",
    "AccessState",
    "Served",
    "ServedModel",
    "UserClass",
    "decide_access",
    "draw_models",
    "is_refused",
    "state_of",
]

_PLACE: Final = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")

AccessState: TypeAlias = Literal["open", "restricted", "closed"]
AccessCode: TypeAlias = Literal[
    "served",
    "access-suspended",
    "licence-not-in-force",
    "picture-stale",
    "order-outstanding",
    "model-not-served",
    "key-withdrawn",
]


class UserClass(msgspec.Struct, frozen=True, kw_only=True):
    """A user's class as the provider asserts it: nationality, where the user is served; None is not asserted.

    Codes are ISO 3166-1 alpha-2 in capitals, with a part of ISO 3166-2 where one is meant. Raises InvalidInput for
    anything else, an empty text too: `jp` or `JPN` would be nobody's class, and pass every order that names JP.
    `asserted_by` names the check that says so (a system of the provider), never the user.
    """

    nationality: str | None = None
    jurisdiction: str | None = None
    asserted_by: str = ""

    def __post_init__(self) -> None:
        told: tuple[tuple[str, object], ...] = (  # whatever a provider's own code puts there
            ("nationality", self.nationality),
            ("jurisdiction", self.jurisdiction),
        )
        for name, value in told:
            if value is not None and not (isinstance(value, str) and _PLACE.fullmatch(value)):
                # The value is somebody's nationality: no word of it goes into a log.
                raise InvalidInput(
                    "is no country code",
                    path=name,
                    remedy="give capitals as in JP or JP-13; None where nobody asserted one",
                )


class AccessOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One order that ends access: whose, on what law it rests, and how to appeal."""

    order: OrderReference
    terms: AccessTerms
    legal_basis: str
    appeal: str
    expires: Instant


class ServedModel(msgspec.Struct, frozen=True, kw_only=True):
    """One model of an access point. `obstacle` says why its licence lets nobody be served; empty where it does."""

    model: str
    state: AccessState
    orders: tuple[AccessOrder, ...] = ()
    obstacle: str = ""


class AccessPicture(msgspec.Struct, frozen=True, kw_only=True):
    """What an access point knows until an instant by the latest clock. A model that it does not name is not served.

    `outstanding`: an order is known by its number and not by its content, for longer than the charter's fetch delay.
    `sequence` grows with each picture, so that an older one is known for what it is.
    """

    host: str
    log: str
    sequence: int
    written: Instant
    until: Instant
    models: tuple[ServedModel, ...] = ()
    outstanding: bool = False


class AccessDecision(msgspec.Struct, frozen=True, kw_only=True):
    """Serve or refuse, by which rule, under which orders, and why in words."""

    serve: bool
    code: AccessCode
    model: str
    orders: tuple[AccessOrder, ...] = ()
    reasons: tuple[str, ...] = ()


class Served(msgspec.Struct, frozen=True, kw_only=True):
    """A model as its access point declares it: the facts that scopes match, and its licence's obstacle."""

    model: str
    facts: HostFacts
    obstacle: str = ""


def draw_models(
    in_force: Iterable[KnownOrder], served: Iterable[Served]
) -> tuple[ServedModel, ...]:
    """Each declared model with the orders over it, strictest first."""
    known = [each for each in in_force if each.order.kind == "suspend-access"]
    return tuple(_draw(each, [one for one in known if _is_over(one, each)]) for each in served)


def decide_access(
    picture: AccessPicture | None, user: UserClass, model: str, now: Instant
) -> AccessDecision:
    """Whether this class of users may be served this model now; `now` is the latest that it can be."""
    if picture is None or picture.until <= now:
        told = "no picture of the orders in force" if picture is None else f"until {picture.until}"
        return _refuse("picture-stale", model, (f"what is known has run out: {told}",))
    found = next((each for each in picture.models if each.model == model), None)
    if found is None:
        return _refuse("model-not-served", model, ("this access point declares no such model",))
    refusing = tuple(each for each in found.orders if is_refused(each.terms, user))
    if refusing:
        reasons = tuple(_reason(each, user) for each in refusing)
        return _refuse("access-suspended", model, reasons, refusing)
    if found.obstacle:
        return _refuse("licence-not-in-force", model, (found.obstacle,))
    if picture.outstanding:
        return _refuse(
            "order-outstanding", model, ("an order is known by its number and not by its content",)
        )
    return AccessDecision(serve=True, code="served", model=model)


def is_refused(terms: AccessTerms, user: UserClass) -> bool:
    """Whether an order's terms end this class's access: any limb that holds does; unknown is as the order says."""
    if not terms.nationalities and not terms.jurisdictions:
        return True
    told = (
        _holds(terms.nationalities, user.nationality),
        _holds(terms.jurisdictions, user.jurisdiction),
    )
    if True in told:
        return True
    return None in told and terms.unknown == "refuse"


def state_of(orders: Iterable[AccessOrder], obstacle: str = "") -> AccessState:
    """Closed where nobody may be served, restricted where some may not."""
    terms = [each.terms for each in orders]
    if obstacle or any(not each.nationalities and not each.jurisdictions for each in terms):
        return "closed"
    return "restricted" if terms else "open"


def _holds(named: tuple[str, ...], value: str | None) -> bool | None:
    """Whether a limb holds of a class; a limb that names nobody never does, an unasserted value is unknown.

    A country covers its parts; who asserts the country alone leaves unknown which part it is.
    """
    if not named:
        return False
    if value is None:
        return None
    whole, partly = _places(named)
    if value in whole or value.partition("-")[0] in whole:
        return True
    return None if value in partly else False


@lru_cache(maxsize=1_024)
def _places(named: tuple[str, ...]) -> tuple[frozenset[str], frozenset[str]]:
    """The names, and the countries of which only parts are named; asked for at each request, so kept."""
    return frozenset(named), frozenset(n.partition("-")[0] for n in named if "-" in n)


def _is_over(known: KnownOrder, served: Served) -> bool:
    """A drill refuses nobody but the users of the canary, where that is served as a model."""
    if not names_model(known.order, served.model):
        return False
    if known.order.drill and served.model != served.facts.canary:
        return False
    return is_covered(known, served.facts)


def _draw(served: Served, over: list[KnownOrder]) -> ServedModel:
    orders = tuple(
        AccessOrder(
            order=known.reference,
            terms=access_terms(known.order),
            legal_basis=known.order.legal_basis,
            appeal=known.order.appeal,
            expires=known.order.expires,
        )
        for known in over
    )
    ranked = tuple(sorted(orders, key=lambda each: state_of((each,)) != "closed"))
    state = state_of(ranked, served.obstacle)
    return ServedModel(model=served.model, state=state, orders=ranked, obstacle=served.obstacle)


def _reason(refusing: AccessOrder, user: UserClass) -> str:
    """Which order, without a word about whom it met."""
    told, order = refusing.terms, refusing.order
    is_known = bool(
        _holds(told.nationalities, user.nationality)
        or _holds(told.jurisdictions, user.jurisdiction)
    )
    everybody = not told.nationalities and not told.jurisdictions
    why = "everybody" if everybody else "this class of users" if is_known else "an unknown class"
    return f"order {order.register} {order.number} ends access for {why}"


def _refuse(
    code: AccessCode,
    model: str,
    reasons: tuple[str, ...],
    orders: tuple[AccessOrder, ...] = (),
) -> AccessDecision:
    return AccessDecision(serve=False, code=code, model=model, orders=orders, reasons=reasons)
