"""What an order does to a served model: is it about it, does it close it, does it keep the key of its weights back."""

from __future__ import annotations

from sekisho.model.statements import AccessTerms, OrderIssued, unknown_critical

__all__ = ["access_terms", "closes_model", "ends_serving", "names_model"]


def access_terms(order: OrderIssued) -> AccessTerms:
    """Whose access an order ends; everybody's where it has a critical field that we do not know, or says nothing."""
    told = order.access
    if told is None:
        return AccessTerms()
    return AccessTerms(models=told.models) if unknown_critical(order) else told


def names_model(order: OrderIssued, model: str) -> bool:
    """Whether an order is about access to this model; one that names none is about every model."""
    if order.kind != "suspend-access":
        return False
    models = access_terms(order).models
    return not models or model in models


def closes_model(order: OrderIssued, model: str) -> bool:
    """Whether an order leaves nobody to be served this model."""
    terms = access_terms(order)
    return names_model(order, model) and not terms.nationalities and not terms.jurisdictions


def ends_serving(order: OrderIssued, model: str) -> bool:
    """Whether an order leaves nothing to serve: work that must rest, or a model closed to everybody.

    A suspension of some classes of users keeps no key back: the gate refuses these, and the rest is served.
    """
    return order.kind in ("hold", "pause") or closes_model(order, model)
