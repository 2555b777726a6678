"""A running regime whose register holds a few chips: some whole lives, some with everything that can be wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sekisho.model.statements import PartyEnrolled
from sekisho.model.wire import canonical, sha256_hex
from sekisho.ports.register_store import CaptureRow
from sekisho.registry.terms import OWN_NAMESPACE
from sekisho.signing.endorsing import endorse
from tests.factory import AUTHORITY, ORIGIN, signer
from tests.regime import LiveRegime, live_regime
from tests.registry.passports import (
    TERMS,
    commissioned,
    declared,
    installed,
    received,
    shipped,
    told,
)

__all__ = ["GPU", "HOSTILE", "PARTIES", "capture", "chip_regime", "wait_logged"]

PARTIES = ("fab", "cloud-x", "cloud-y")
GPU = [f"https://chips.example/id/gpu/GPU-{number:04d}" for number in range(24)]
HOSTILE = "https://chips.example/id/gpu/x'onclick='alert(1)&amp;?a=b#c"
LOST = OWN_NAMESPACE + "act/lost"


def capture(regime: LiveRegime, event: dict[str, Any], *parties: str) -> CaptureRow:
    """Hand one event in, endorsed by these parties; unsigned where none is named."""
    document = json.dumps(event).encode()
    endorsement = (
        endorse(sha256_hex(document), ORIGIN, [signer(f"party {name}") for name in parties]).raw
        if parties
        else None
    )
    return regime.control.register.capture(document, endorsement)


@contextmanager
def chip_regime(folder: Path) -> Iterator[LiveRegime]:
    """A regime that runs, with the stories told below in its register and its log."""
    (folder / "home").mkdir(parents=True)
    (folder / "home" / "register.json").write_bytes(canonical(TERMS))
    with live_regime(folder) as regime:
        for name in PARTIES:
            fact = PartyEnrolled(
                effective=regime.now,
                party=name,
                public=signer(f"party {name}").public.to_text(),
                organisation=name.title(),
                country="JP",
            )
            regime.submit(fact, AUTHORITY[0])
        _tell(regime)
        wait_logged(regime)
        yield regime


def wait_logged(regime: LiveRegime) -> None:
    """Until the log holds every batch and the witnesses have seen it."""
    control = regime.control
    control.chips.committer.complete()
    control.desk.mark_time()
    control.publisher.wait_witnessed(control.desk.state.size - 1, 10)
    control.chips.committer.complete()


def _tell(regime: LiveRegime) -> None:
    def send(event: dict[str, Any], *parties: str) -> None:
        capture(regime, event, *parties)

    send(commissioned(0, *GPU), "fab")
    send(commissioned(0.5, GPU[0] + "-L", model="Abacus <b>9000</b>"), "fab")
    send(
        commissioned(0.6, HOSTILE, model="L4", **{"skh:serial": "<script>alert(2)</script>"}), "fab"
    )
    send(shipped(1, *GPU[:20]), "fab")
    send(received(3, *GPU[:18]), "cloud-x")
    send(installed(4, *GPU[:17], parent="https://chips.example/id/server/SRV-1"), "cloud-x")
    # The first chip has everything: a correction, an unsigned claim, an early event.
    wrong = _active(5, GPU[0])
    send(wrong, "cloud-x")
    send(declared(wrong, 6, "incorrect_data"), "cloud-x")
    send(_active(7, GPU[0]), "cloud-x")
    send(shipped(8, GPU[0]))
    send(received(300, GPU[1] + "-unknown"), "cloud-y")
    send(told(9, "ObjectEvent", action="OBSERVE", bizStep=LOST, epcList=[GPU[17]]), "cloud-x")
    send(told(9, "ObjectEvent", action="OBSERVE", bizStep="destroying", epcList=[GPU[20]]), "fab")
    send(received(12, GPU[2]), "cloud-y")


def _active(day: float, epc: str) -> dict[str, Any]:
    return told(
        day,
        "ObjectEvent",
        action="OBSERVE",
        bizStep="installing",
        disposition="active",
        epcList=[epc],
        readPoint={"id": "urn:sekisho:place:hall-x"},
        bizLocation={"id": "urn:sekisho:place:hall-x"},
    )
