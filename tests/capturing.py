"""A register that captures: a store in a folder, parties with keys, and the documents that they send."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from sekisho.adapters.storage.register_sql import open_register
from sekisho.app.register import scratch_in
from sekisho.model.custody import Standing
from sekisho.model.instants import Instant, parse_instant
from sekisho.model.statements import PartyEnrolled
from sekisho.model.wire import sha256_hex
from sekisho.operations.register.capturing import Committing
from sekisho.operations.register.endorsing import Voices, endorse
from sekisho.operations.register.register import Register
from sekisho.ports.register_store import CaptureRow, RegisterStore
from sekisho.registry.terms import OWN_NAMESPACE, Place, RegisterTerms
from sekisho.signing import Ed25519Signer, Regime
from sekisho.signing.charter import Charter
from sekisho.signing.enrolment import Enrolled
from tests import factory as f
from tests.desks import MovingClock

__all__ = [
    "CONTEXT",
    "PARTIES",
    "TERMS",
    "World",
    "chip",
    "commissioned",
    "declared_wrong",
    "document",
    "endorsed",
    "happened",
    "key_of",
    "observed",
    "received",
    "regime_of",
    "shipped",
]

NOW = f.NOW
START = parse_instant("2026-11-01T00:00:00Z")
PARTIES = ("maker", "dist", "cloud", "carrier")
TERMS = RegisterTerms(
    places=(
        Place(place="fab", country="TW", keeper="maker"),
        Place(place="dock", country="SG", keeper="dist"),
        Place(place="hall", country="JP", keeper="cloud"),
    )
)
SITE = {"maker": "fab", "dist": "dock", "cloud": "hall", "carrier": "dock"}
CONTEXT = [
    "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",
    {"skh": OWN_NAMESPACE},
]


def key_of(party: str) -> Ed25519Signer:
    return f.signer(f"party {party}")


def enrolled(party: str, key: Ed25519Signer | None = None) -> PartyEnrolled:
    return PartyEnrolled(
        effective=f.NOW,
        party=party,
        public=(key or key_of(party)).public.to_text(),
        organisation=party.title(),
        country="JP",
    )


def regime_of(parties: Iterable[str] = PARTIES) -> Regime:
    """A regime with the factory's charter and these parties, each with a key of its own."""
    known = Enrolled()
    for party in parties:
        known = known.with_party(enrolled(party))
    charter = Charter(f.charter(), f.charter_envelope(f.charter()).digest)
    regime = Regime.start(charter.digest, f.LOG.public)
    return msgspec.structs.replace(regime, charter=charter, enrolled=known)


class World:
    """A register in a folder. Use as a context manager; `regime` may be exchanged while it runs."""

    def __init__(
        self,
        folder: Path,
        *,
        terms: RegisterTerms = TERMS,
        committer: Committing | None = None,
        place: str | Path | None = None,
        store: RegisterStore | None = None,
    ) -> None:
        self.clock = MovingClock(NOW)
        self.regime = regime_of()
        self.store = store or open_register(place or folder / "register.sqlite")
        salts = iter(range(1 << 62))
        self.register = Register(
            store=self.store,
            terms=terms,
            voices=Voices(f.ORIGIN, lambda: self.regime),
            clock=self.clock,
            committer=committer,
            scratch=scratch_in(folder),
            draw_salt=lambda: hashlib.sha256(b"%d" % next(salts)).digest()[:16],
        )

    def __enter__(self) -> Self:
        self.register.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.register.stop()
        self.store.close()

    def send(self, events: Sequence[dict[str, Any]], *signers: str, **more: Any) -> CaptureRow:
        """Capture these events as one document that these parties endorsed."""
        data = document(*events)
        return self.register.capture(data, endorsed(data, *signers), **more)

    def standing(self, epc: str) -> Standing:
        return self.store.load_standings([epc])[epc]


def endorsed(data: bytes, *signers: str | Ed25519Signer, log: str = f.ORIGIN) -> bytes | None:
    """The endorsement of a document's bytes; none where nobody signs."""
    if not signers:
        return None
    keys = [key_of(signer) if isinstance(signer, str) else signer for signer in signers]
    return endorse(sha256_hex(data), log, keys).raw


def document(*events: dict[str, Any], created: Instant = START) -> bytes:
    return json.dumps(
        {
            "@context": CONTEXT,
            "type": "EPCISDocument",
            "schemaVersion": "2.0",
            "creationDate": str(created),
            "epcisBody": {"eventList": list(events)},
        }
    ).encode()


def chip(number: int) -> str:
    return f"https://chips.example/id/gpu/G-{number:07d}"


def at(hours: float) -> str:
    return str(START.plus(3_600 * hours))


def commissioned(
    *epcs: str, hours: float = 0, model: str = "H200 SXM", maker: str = ""
) -> dict[str, Any]:
    told = {"skh:maker": maker} if maker else {}
    return {
        **_event(hours, "maker", epcs, "commissioning", "active", "ADD"),
        "ilmd": {"skh:model": model, **told},
    }


def shipped(by: str, to: str, *epcs: str, hours: float = 1) -> dict[str, Any]:
    return {
        **_event(hours, by, epcs, "shipping", "in_transit"),
        "sourceList": [{"type": "possessing_party", "source": f"urn:sekisho:party:{by}"}],
        "destinationList": [{"type": "possessing_party", "destination": f"urn:sekisho:party:{to}"}],
    }


def received(by: str, *epcs: str, hours: float = 2) -> dict[str, Any]:
    return _event(hours, by, epcs, "receiving", "in_progress")


def observed(by: str, *epcs: str, hours: float = 3) -> dict[str, Any]:
    return _event(hours, by, epcs, "cycle_counting", "active")


def happened(
    by: str, *epcs: str, step: str = "other", disposition: str, hours: float = 3
) -> dict[str, Any]:
    return _event(hours, by, epcs, step, disposition)


def declared_wrong(event: dict[str, Any], *, hours: float = 4, **more: Any) -> dict[str, Any]:
    declaration = {"declarationTime": at(hours), "reason": "incorrect_data", **more}
    return {**event, "errorDeclaration": declaration}


def _event(
    hours: float, by: str, epcs: Sequence[str], step: str, disposition: str, action: str = "OBSERVE"
) -> dict[str, Any]:
    place = {"id": f"urn:sekisho:place:{SITE[by]}"}
    return {
        "type": "ObjectEvent",
        "eventTime": at(hours),
        "eventTimeZoneOffset": "+00:00",
        "epcList": list(epcs),
        "action": action,
        "bizStep": step,
        "disposition": disposition,
        "readPoint": place,
        "bizLocation": place,
    }
