"""Who may be in a quorum that stops or releases: no organisation that is licensed under it. Pure.

At issue the licence is refused (licence_admission); here a charter is, that would give such a key to whoever has a
licence already, and an enrolment that would make a licensee one of those who have such a key. Source: protocol
section 2.
"""

from __future__ import annotations

from sekisho.licensing import LicenceState
from sekisho.model.statements import CharterAdopted, PartyEnrolled
from sekisho.operations.state import State
from sekisho.signing import Charter

__all__ = ["check_party", "check_pause_quorum"]


def check_pause_quorum(state: State, terms: CharterAdopted) -> list[str]:
    """The licences that stand and whose licensees' organisations would hold a key to pause or resume, in words."""
    if terms.version == 1:
        return []
    charter = Charter(terms, "")
    problems = []
    for held in state.licences.licences.values():
        party = state.regime.parties.get(held.licence.licensee)
        if party is not None and not _is_over(held) and charter.is_pausing(party.organisation):
            problems.append(
                f"licence {held.licence.number} stands, and {party.organisation} would hold a key of a pause quorum"
            )
    return problems


def check_party(state: State, fact: PartyEnrolled) -> list[str]:
    """Why a party cannot be enrolled (again) under this organisation: it is licensed, and would pause itself."""
    charter = state.regime.charter
    if charter is None or not charter.is_pausing(fact.organisation):
        return []
    return [
        f"licence {held.licence.number} stands, and {fact.organisation} holds a key of a pause quorum"
        for held in state.licences.licences.values()
        if held.licence.licensee == fact.party and not _is_over(held)
    ]


def _is_over(held: LicenceState) -> bool:
    return held.revoked is not None or held.closed is not None
