"""What somebody saw against what the book says: clones, dummies under moved labels, retired chips that turn up."""

from __future__ import annotations

from collections.abc import Iterator

from sekisho.model.custody import Standing
from sekisho.registry.custody.book import AlertCode, Book
from sekisho.registry.custody.facts import Facts, own_field
from sekisho.registry.custody.registering import claimed_key, same_model

__all__ = ["contradictions", "where_seen"]

Note = tuple[AlertCode, str]


def where_seen(was: Standing, facts: Facts) -> Note | None:
    """What is odd about a chip being seen at all, or there, by how it stood at that time."""
    if was.state in ("destroyed", "stolen"):
        return "already-retired", f"seen {_at(facts)}, though {was.state}"
    if was.state == "lost" and was.custodian not in facts.parties:
        return "other-holder", f"seen {_at(facts)}, though {was.custodian} lost it"
    if was.state == "active" and was.site and facts.site and was.site != facts.site:
        return "active-elsewhere", f"seen at {facts.site}, though active at {was.site}"
    return None


def contradictions(
    book: Book, epc: str, was: Standing, facts: Facts, *, alone: bool
) -> Iterator[Note]:
    """Where the event states another identity than the one registered. `alone`: it names this one and no other."""
    identity = was.identity
    model = own_field(facts.event, "model")
    if isinstance(model, str) and identity.model and not same_model(model, identity.model):
        yield "model-mismatch", f"stated as {model[:80]}, registered as {identity.model}"
    if facts.event.disposition == "mismatch_instance":
        yield "model-mismatch", f"found to be another instance {_at(facts)}"
    if not alone:
        return
    serial = own_field(facts.event, "serial")
    if isinstance(serial, str) and serial != identity.serial:
        other = book.by_identity(identity.maker, serial)
        whose = f", which is {other}" if other else ""
        yield "duplicate-serial", f"bears serial {serial[:80]}{whose}, not {identity.serial}"
    key = claimed_key(facts)
    if not key or key == identity.device_key:
        return
    other = book.by_device_key(key)
    if other is not None and other != epc:
        yield "other-device-key", f"answers with the device key of {other}"
    elif identity.device_key:
        yield "other-device-key", "answers with another device key than the one registered"


def _at(facts: Facts) -> str:
    return f"at {facts.site or 'a place that nobody named'}"
