"""Who may be in a quorum that stops or releases: no organisation that is licensed under it. Pure.

At issue the licence is refused (licence_admission); here a charter is, that would give such a key to whoever has a
licence already. Source: protocol section 2.
"""

from __future__ import annotations

from sekisho.model.statements import CharterAdopted
from sekisho.operations.state import State
from sekisho.signing import Charter

__all__ = ["check_pause_quorum"]


def check_pause_quorum(state: State, terms: CharterAdopted) -> list[str]:
    """The licences that stand and whose licensees' organisations would hold a key to pause or resume, in words."""
    if terms.version == 1:
        return []
    charter = Charter(terms, "")
    problems = []
    for held in state.licences.licences.values():
        party = state.regime.parties.get(held.licence.licensee)
        over = held.revoked is not None or held.closed is not None
        if party is not None and not over and charter.is_pausing(party.organisation):
            problems.append(
                f"licence {held.licence.number} stands, and {party.organisation} would hold a key of a pause quorum"
            )
    return problems
