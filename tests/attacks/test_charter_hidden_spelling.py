"""One organisation under two spellings that look alike must not pass for two."""

from __future__ import annotations

import pytest

from sekisho.signing.charter_rules import same_organisation

HIDDEN = {
    "space of no width": "Ac\u200bme Labs",
    "joiner": "Ac\u200dme Labs",
    "word joiner": "Acme\u2060 Labs",
    "byte-order mark": "\ufeffAcme Labs",
    "soft hyphen": "Acme La\u00adbs",
    "turned round and back": "\u202aAcme Labs\u202c",
    "control character": "Acme\x07 Labs",
    "tag character": "Acme Labs\U000e0041",
    "full width": "\uff21cme Labs",
    "spaces": " Acme\u3000 Labs ",
    "case": "ACME LABS",
}


@pytest.mark.parametrize("name", sorted(HIDDEN))
def test_a_name_with_something_in_it_that_nobody_sees(name: str) -> None:
    """Whoever signs pauses and wants a licence is one organisation, however it is written."""
    assert same_organisation("Acme Labs", HIDDEN[name])


def test_two_organisations_stay_two() -> None:
    """What a reader can tell apart stays apart."""
    assert not same_organisation("Acme Labs", "Acme Lab")
    assert not same_organisation("AcmeLabs", "Acme Labs")
