"""Whether anybody who is licensed could stop or release itself: by a licence, a charter, or an enrolment.

Source: protocol section 2.
"""

from __future__ import annotations

from sekisho.auditor.history import Step
from sekisho.model.statements import CharterAdopted, LicenceIssued, PartyEnrolled
from sekisho.signing import Charter

__all__ = ["is_pausing", "licensed_pausers", "moved_parties"]


def is_pausing(step: Step, licence: LicenceIssued) -> bool:
    """Whether the licensee could stop or release itself (protocol section 2)."""
    party = step.regime.parties.get(licence.licensee)
    return party is not None and step.regime.in_force().is_pausing(party.organisation)


def licensed_pausers(step: Step, terms: CharterAdopted) -> list[str]:
    """A later charter gives no key of a pause quorum to an organisation that has a licence already."""
    charter = Charter(terms, "")
    parties = {
        party.organisation
        for held in step.ledger.licences.values()
        if held.revoked is None and held.closed is None
        if (party := step.regime.parties.get(held.licence.licensee)) is not None
    }
    return [
        f"gives {name}, which is licensed, a key of a pause quorum"
        for name in sorted(parties)
        if charter.is_pausing(name)
    ]


def moved_parties(step: Step, party: PartyEnrolled) -> list[str]:
    """Nobody who is licensed already is enrolled into an organisation that could pause or release it."""
    charter = step.regime.charter
    if charter is None or not charter.is_pausing(party.organisation):
        return []
    return [
        f"makes {party.party}, which holds licence {held.licence.number}, one of {party.organisation}, "
        "which has a key in a pause quorum"
        for held in step.ledger.licences.values()
        if held.licence.licensee == party.party and held.revoked is None and held.closed is None
    ]
