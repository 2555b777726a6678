"""From answers to requests: what the company does becomes what the rules are asked.

What nobody answered, or answered with "I do not know", is left out of a request, so that it stays a missing fact. Where
so little is known that no request can be made, `Unasked` says which answer is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Final, Literal, TypeAlias

import msgspec

from sekisho.rules.impact.compute import cluster_of, computed, designed_in_china, text_of
from sekisho.rules.impact.numerals import format_exact
from sekisho.rules.impact.question import Answer
from sekisho.rules.pack import Pack
from sekisho.rules.requests import (
    AccessRequest,
    CloudUseRequest,
    ClusterRequest,
    ItemAsked,
    PartyAsked,
    Request,
    RequestKind,
    RunRequest,
    TransferRequest,
    WeightsAsked,
)
from sekisho.rules.requests.shapes import AskedFact

__all__ = ["Asking", "Role", "Unasked", "Variant", "fitted", "requests_of"]

Role: TypeAlias = Literal["training-run", "cluster", "transfer", "cloud-use", "provider", "access"]
Variant: TypeAlias = Literal["plain", "bound", "estimate"]
_Given: TypeAlias = Mapping[str, Answer]
_FORMS: Final[Mapping[str, Literal["ic", "computer", "weights"]]] = {
    "chips": "ic",
    "servers": "computer",
    "weights": "weights",
}
# The top of each band, since the rules ask whether revenue is above something; the last is above all of them.
_REVENUE: Final[Mapping[str, str]] = {
    "under-10m": "10000000",
    "10m-100m": "100000000",
    "100m-500m": "500000000",
    "over-500m": "1000000000000",
}
# Facts that packs ask for by names of their own, and the questions that tell them.
_FACTS: Final[Mapping[str, str]] = {
    "generates-language-images-or-video": "generates",
    "base-of-another": "base_other",
    "list-controlled": "list_controlled",
    "conventional-arms-end-user": "arms_end_user",
    "red-flags-resolved": "red_flags_resolved",
}


class Asking(msgspec.Struct, frozen=True, kw_only=True):
    """One request for the rules; a run is asked at its bound and at its estimate."""

    role: Role
    variant: Variant = "plain"
    request: Request


class Unasked(msgspec.Struct, frozen=True, kw_only=True):
    """Something that could not even be asked: the questions whose answers are missing."""

    role: Role
    kind: RequestKind
    missing: tuple[str, ...]


def requests_of(answers: _Given) -> tuple[tuple[Asking, ...], tuple[Unasked, ...]]:
    """Everything to ask, and what could not be asked."""
    asked: list[Asking] = []
    unasked: list[Unasked] = []
    for part in (_training, _clusters, _exports, _cloud_customer, _cloud_provider, _hosting):
        for item in part(answers):
            (asked if isinstance(item, Asking) else unasked).append(item)  # type: ignore[arg-type]  # told apart by its type
    return tuple(asked), tuple(unasked)


def fitted(request: Request, pack: Pack) -> Request:
    """The request as a pack can read it: only facts that it declares, and the activity as its law names it.

    What leaves a third country under United States law is a re-export.
    """
    facts = {name: value for name, value in request.facts.items() if name in pack.quantities}
    changes: dict[str, object] = {"facts": facts}
    if isinstance(request, TransferRequest):
        changes["activity"] = _activity(request, pack)
    return msgspec.structs.replace(request, **changes)


def _activity(request: TransferRequest, pack: Pack) -> str | None:
    """Unknown where an end of the way is; within one country no law calls it an export."""
    if request.origin is None or request.destination is None:
        return None
    if request.origin == request.destination:
        return "in-country"
    is_abroad = pack.jurisdiction.startswith("US") and request.origin != "US"
    return "reexport" if is_abroad else "export"


# --- training, clusters ---------------------------------------------------------------------------


def _training(given: _Given) -> Iterable[Asking | Unasked]:
    use = given.get("use")
    if use in ("none", "services", "run"):
        return
    figures = computed(given) if use is not None else None
    if figures is None:
        yield Asking(role="training-run", request=_run(given, None))
        return
    yield Asking(role="training-run", variant="bound", request=_run(given, figures.bound))
    best = figures.estimate[1]
    yield Asking(role="training-run", variant="estimate", request=_run(given, best))


def _run(given: _Given, flop: int | None) -> RunRequest:
    use = given.get("use")
    tunes = use == "fine-tune"
    return RunRequest(
        id="training-run",
        jurisdictions=_jurisdictions(given),
        planned_flop=None if flop is None else str(flop),
        origin="known" if tunes else "scratch" if use == "train" else None,
        lineage_flop=text_of(given, "base_flop") if tunes else None,
        post_training=True if tunes else False if use == "train" else None,
        cluster=cluster_of(given),
        facts=_facts(given),
    )


def _jurisdictions(given: _Given) -> tuple[str, ...] | None:
    """Where the firm sits, where its chips stand, where the model goes; None where one of them is not known."""
    country, chips_in, markets = (given.get(q) for q in ("country", "chips_in", "markets"))
    if not (isinstance(country, str) and isinstance(chips_in, str) and isinstance(markets, tuple)):
        return None
    return tuple(sorted({country, chips_in, *markets}))


def _clusters(given: _Given) -> Iterable[Asking | Unasked]:
    use = given.get("use")
    if use in ("none", "services"):
        return
    cluster = cluster_of(given)
    if cluster is None:
        missing = ("use",) if use is None else _absent(given, "chip", "chip_count")
        yield Unasked(role="cluster", kind="cluster", missing=missing)
        return
    country, chips_in = given.get("country"), given.get("chips_in")
    known = isinstance(country, str) and isinstance(chips_in, str)
    places = tuple(sorted({str(country), str(chips_in)})) if known else None
    yield Asking(
        role="cluster",
        request=ClusterRequest(
            kind="cluster",
            id="cluster",
            jurisdictions=places,
            cluster=cluster,
            facts=_facts(given),
        ),
    )


# --- exports --------------------------------------------------------------------------------------


def _exports(given: _Given) -> Iterable[Asking | Unasked]:
    if given.get("exports") is False:
        return
    items = given.get("export_items")
    if given.get("exports") is None or not isinstance(items, tuple):
        missing = _absent(given, "exports") or ("export_items",)
        yield Unasked(role="transfer", kind="transfer", missing=missing)
        return
    places = given.get("export_to")
    destinations: tuple[str | None, ...] = places if isinstance(places, tuple) else (None,)
    for item in items:
        for destination in destinations:
            yield Asking(role="transfer", request=_transfer(given, item, destination))


def _transfer(given: _Given, item: str, destination: str | None) -> TransferRequest:
    receiving = _receiving(given, destination)
    known = given.get("end_user_known") is True
    end_use = given.get("end_use")
    return TransferRequest(
        kind="transfer",
        id=f"{item}-to-{destination or 'unknown'}",
        item=_item(given, item),
        count=_count(given, item),
        origin=text_of(given, "country"),
        destination=destination,
        exporter=_own_party(given),
        consignee=receiving[0] if known else None,
        end_user_is_consignee=True if known else None,
        intermediates=receiving[1:] if known else (),
        end_use=end_use if isinstance(end_use, tuple) else None,  # type: ignore[arg-type]  # read among END_USES
        # Whoever asks here claims no licence exception: that leaves a licence a licence.
        facts={**_facts(given), "claimed-exception": "none"},
    )


def _item(given: _Given, item: str) -> ItemAsked:
    if item == "weights":
        published = given.get("weights_published")
        return ItemAsked(
            form="weights",
            weights=WeightsAsked(
                training_flop=text_of(given, "weights_flop"),
                published=published if isinstance(published, bool) else None,
            ),
        )
    each = text_of(given, "chips_each") if item == "servers" else "1"
    return ItemAsked(
        form=_FORMS[item], chip=text_of(given, "export_chip"), chips_each=int(each or 1)
    )


def _count(given: _Given, item: str) -> int | None:
    """Unknown also where nobody said how many chips stand in a server: no amount may come of it then."""
    count = text_of(given, "export_count")
    if item == "weights" or count is None:
        return None
    return int(count) if item == "chips" or text_of(given, "chips_each") is not None else None


def _receiving(given: _Given, country: str | None) -> tuple[PartyAsked, ...]:
    """The end user, and one more party for every two further headquarters that were named."""
    seats = given.get("end_user_headquarters")
    named: tuple[str | None, ...] = seats if isinstance(seats, tuple) else (None,)
    parties = [
        _with_lists(
            PartyAsked(country=country, headquarters=seat, parent_headquarters=seat),
            given,
            "end_user_listed",
            "end_user_listed_share",
        )
        for seat in named
    ]
    return tuple(parties[:21])


def _own_party(given: _Given) -> PartyAsked:
    country = text_of(given, "country")
    party = PartyAsked(
        name=text_of(given, "name"),
        country=country,
        headquarters=country,
        parent_headquarters=text_of(given, "parent_in"),
    )
    return _with_lists(party, given, "own_listed", "listed_owner_share")


def _with_lists(party: PartyAsked, given: _Given, flag: str, share: str) -> PartyAsked:
    """The party with what is known of lists: whether it stands on one, and what listed parties own of it."""
    listed, owned = given.get(flag), text_of(given, share)
    if isinstance(listed, bool):
        party = msgspec.structs.replace(party, listed=listed)
    if owned is None:
        return party
    part = Fraction(owned) / 100
    return msgspec.structs.replace(
        party, listed_owner_share=format_exact(part), listed_owner_known=part > 0
    )


# --- clouds ---------------------------------------------------------------------------------------


def _cloud_customer(given: _Given) -> Iterable[Asking | Unasked]:
    if given.get("use") in ("none", "services") or given.get("compute") == "own":
        return
    if given.get("use") is None or given.get("compute") is None:
        missing = _absent(given, "use") or ("compute",)
        yield Unasked(role="cloud-use", kind="cloud-use", missing=missing)
        return
    figures = computed(given)
    if given.get("use") == "run":
        yield Asking(role="cloud-use", request=_contract(given, 0))
    elif figures is None:
        yield Asking(role="cloud-use", request=_contract(given, None))
    else:
        yield Asking(role="cloud-use", variant="bound", request=_contract(given, figures.bound))
        best = figures.estimate[1]
        yield Asking(role="cloud-use", variant="estimate", request=_contract(given, best))


def _contract(given: _Given, flop: int | None) -> CloudUseRequest:
    purpose = given.get("purpose")
    return CloudUseRequest(
        kind="cloud-use",
        id="cloud-use",
        provider=PartyAsked(name=text_of(given, "cloud")),
        customer=_own_party(given),
        place=text_of(given, "chips_in"),
        jurisdictions=_jurisdictions(given),
        cluster=cluster_of(given),
        planned_flop=None if flop is None else str(flop),
        end_use=purpose if isinstance(purpose, tuple) else None,  # type: ignore[arg-type]  # read among END_USES
        facts={**_facts(given), **_flag("prc-designed-chips", designed_in_china(given))},
    )


def _cloud_provider(given: _Given) -> Iterable[Asking | Unasked]:
    if given.get("offers_cloud") is False:
        return
    if given.get("offers_cloud") is None:
        yield Unasked(role="provider", kind="cloud-use", missing=("offers_cloud",))
        return
    seats = given.get("customers_headquarters")
    uses = given.get("customers_use")
    for seat in seats if isinstance(seats, tuple) else (None,):
        yield Asking(
            role="provider",
            request=CloudUseRequest(
                kind="cloud-use",
                id=f"customers-of-{seat or 'unknown'}",
                provider=_own_party(given),
                customer=_with_lists(
                    PartyAsked(headquarters=seat, parent_headquarters=seat),
                    given,
                    "customers_listed",
                    "customers_listed_share",
                ),
                place=text_of(given, "cloud_in"),
                planned_flop=text_of(given, "customers_flop"),
                end_use=uses if isinstance(uses, tuple) else None,  # type: ignore[arg-type]  # read among END_USES
                facts=_flag("prc-designed-chips", given.get("offers_prc_chips")),
            ),
        )


# --- hosted models --------------------------------------------------------------------------------


def _hosting(given: _Given) -> Iterable[Asking | Unasked]:
    if given.get("hosts_models") is False:
        return
    if given.get("hosts_models") is None:
        yield Unasked(role="access", kind="access", missing=("hosts_models",))
        return
    places, classes, weights = (given.get(q) for q in ("users_in", "user_class", "gives_weights"))
    for place in places if isinstance(places, tuple) else (None,):
        for group in classes if isinstance(classes, tuple) else (None,):
            yield Asking(
                role="access",
                request=AccessRequest(
                    kind="access",
                    id=f"{group or 'unknown'}-in-{place or 'unknown'}",
                    training_flop=text_of(given, "hosted_flop"),
                    provider=_own_party(given),
                    user=PartyAsked(country=place) if place is not None else None,
                    user_class=group,  # type: ignore[arg-type]  # read among USER_CLASSES
                    place=place,
                    weights=weights if isinstance(weights, bool) else None,
                ),
            )


# --- facts by packs' own names ---------------------------------------------------------------------


def _facts(given: _Given) -> dict[str, AskedFact]:
    found: dict[str, AskedFact] = {}
    for name, question in _FACTS.items():
        answer = given.get(question)
        if isinstance(answer, bool):
            found[name] = answer
    revenue = text_of(given, "revenue")
    if revenue is not None:
        found["annual-revenue"] = _REVENUE[revenue]
    return found


def _flag(name: str, value: Answer) -> dict[str, AskedFact]:
    return {name: value} if isinstance(value, bool) else {}


def _absent(given: _Given, *questions: str) -> tuple[str, ...]:
    return tuple(question for question in questions if given.get(question) is None)
