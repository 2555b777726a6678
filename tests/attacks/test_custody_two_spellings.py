"""One chip written in two spellings of the same GS1 key is one chip."""

from __future__ import annotations

from sekisho.registry.epcis import event_document, event_of
from sekisho.registry.epcis.event import Event
from tests.registry.custody.events import Register
from tests.registry.epcis.samples import event_from, made

URN = "urn:epc:id:sgtin:4012345.011111.9876"
LINK = "https://id.gs1.org/01/04012345111118/21/9876"


def _commissioned(epc: str, serial: str) -> Event:
    ilmd = {"skh:model": "H100 SXM5", "skh:serial": serial}
    return event_from(made(epcList=[epc], ilmd=ilmd, bizStep="commissioning", action="ADD"))


def test_a_chip_under_its_other_spelling_is_not_registered_twice() -> None:
    """The name as a URN and as a Digital Link give one standing; the second commissioning is refused."""
    register = Register()
    first = register.take(_commissioned(URN, "S-1"), "maker")
    second = register.take(_commissioned(LINK, "S-2"), "maker")
    assert (first.outcome, second.outcome) == ("taken", "refused")
    assert register.standing(LINK).identity.serial == "S-1"


def test_what_is_kept_is_what_was_written_and_reads_back_as_the_one_spelling() -> None:
    """The document keeps the sender's spelling, since its endorsement is over those bytes."""
    event = event_from(made(epcList=[URN], ilmd=None))
    assert (event.epcs, event.raw["epcList"]) == ((LINK,), [URN])
    assert event_of(event_document(event)).epcs == (LINK,)
