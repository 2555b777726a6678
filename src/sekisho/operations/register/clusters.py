"""Covered clusters of the register as it stands: one query by site and model, then the limbs of the treaty draft."""

from __future__ import annotations

from sekisho.model.chips import TREATY_H100, H100Constants
from sekisho.operations.register.holdings import load_tallies
from sekisho.ports.register_store import RegisterStore
from sekisho.registry.clusters import Clusters, find_covered, networks_of
from sekisho.registry.terms import RegisterTerms

__all__ = ["load_clusters"]


def load_clusters(
    store: RegisterStore, terms: RegisterTerms, *, constants: H100Constants = TREATY_H100
) -> Clusters:
    """Every network of the register with chips in it, judged. Raises Unavailable, Corrupt."""
    networks = networks_of((place.place, place.network) for place in terms.places)
    return find_covered(load_tallies(store, "site"), networks, constants=constants)
