"""The honest half of the chips' drill: found, make, ship, receive, install, count, and mend a mistake."""

from __future__ import annotations

from typing import Final

from sekisho.model.statements import PartyEnrolled
from sekisho.registry.balance import Balance, Inventory
from sekisho.registry.balance.inventory import Item
from sekisho.rehearsal.chip_documents import (
    activated,
    built_in,
    commissioned,
    declared_wrong,
    hash_id_of,
    received,
    shipped,
    suspended,
)
from sekisho.rehearsal.chip_scene import (
    CHIPS,
    CLOUD,
    DISTRIBUTOR,
    DOCK,
    FAB,
    HALL,
    MAKER,
    PARTIES,
    SERVERS,
    ChipScene,
)

__all__ = [
    "close_balance",
    "correct",
    "deliver",
    "enrol",
    "found",
    "install",
    "make",
    "receive_early",
]

MODEL: Final = "H100 SXM5"
SERVER_MODEL: Final = "DRILL-8GPU"


def found(scene: ChipScene) -> None:
    """A charter, a log, two witnesses, and a register that knows four places."""
    scene.open()
    desk = scene.regime.desk
    terms = desk.state.regime.in_force().terms
    scene.say("founded", origin=desk.origin, version=terms.version, profile=terms.profile)
    scene.settle()


def enrol(scene: ChipScene) -> None:
    """Maker, distributor and cloud with keys of their own; the inspector's is a verifier's key of the charter."""
    scene.reach(0.1)
    for party in PARTIES:
        fact = PartyEnrolled(
            effective=scene.now,
            party=party,
            public=scene.key(party).public.to_text(),
            organisation=f"DRILL {party}",
            country="JP",
        )
        cast = scene.regime.cast
        scene.regime.desk.admit(cast.sign(fact, cast.authority[0]).raw)
        scene.say("enrolled", party=party, id=scene.key(party).public.key_id[:16])
    scene.say("inspector", id=scene.regime.cast.observer.public.key_id[:16])
    scene.settle()


def make(scene: ChipScene) -> None:
    """Sixteen accelerators, each registered with the digest of a key that only it holds; eight in each server."""
    at = scene.reach(1)
    made = scene.new_accelerators()
    events = [
        commissioned(
            at, chip, FAB, model=MODEL, component="package", deviceKeySha256=device.key_digest
        )
        for chip, device in made.items()
    ]
    events += [commissioned(at, s, FAB, model=SERVER_MODEL, component="server") for s in SERVERS]
    scene.taken(events, MAKER)
    at = scene.reach(1.1)
    built = [built_in(at, server, chips, FAB) for server, chips in scene.server_of.items()]
    scene.taken(built, MAKER)
    scene.expect(scene.custodians(), {MAKER}, "custodian")
    told = {"chips": len(CHIPS), "servers": len(SERVERS), "all": len(scene.components)}
    scene.say("made", model=MODEL, **told)
    scene.settle()


def receive_early(scene: ChipScene) -> None:
    """The distributor's receipt comes before the maker's shipment: it waits, and takes effect when that is there."""
    scene.reach(3)
    early = scene.capture([received(scene.day(3), SERVERS, DOCK)], DISTRIBUTOR)
    scene.expect((early.taken, early.waiting), (0, 1), "the early receipt")
    scene.expect(scene.custodians(), {MAKER}, "custodian")
    scene.say("early", custodian=MAKER)
    scene.settle()
    scene.reach(3.5)
    scene.taken([first_shipment(scene)], MAKER)
    scene.expect(scene.custodians(), {DISTRIBUTOR}, "custodian")
    scene.say("released", custodian=DISTRIBUTOR)
    scene.settle()


def deliver(scene: ChipScene) -> None:
    """On to the cloud: neither the shipment nor a receipt that nobody signed moves custody; the signed one does."""
    at = scene.reach(4)
    scene.taken([shipped(at, SERVERS, DOCK, (DISTRIBUTOR, CLOUD), HALL)], DISTRIBUTOR)
    scene.expect(scene.custodians(), {DISTRIBUTOR}, "custodian")
    scene.say("under-way", custodian=DISTRIBUTOR)
    scene.settle()
    at = scene.reach(5)
    unsigned = received(at, SERVERS, HALL)
    scene.capture([unsigned])
    scene.expect(scene.custodians(), {DISTRIBUTOR}, "custodian")
    scene.say("unsigned", custodian=DISTRIBUTOR)
    at = scene.reach(5.5)
    scene.taken([received(at, SERVERS, HALL)], CLOUD)
    scene.expect(scene.custodians(), {CLOUD}, "custodian")
    scene.say("received", custodian=CLOUD)
    scene.settle()


def install(scene: ChipScene) -> None:
    """Switched on in the hall; counted, and the book balances to the component."""
    at = scene.reach(6)
    scene.taken([activated(at, scene.components, HALL)], CLOUD)
    scene.settle()
    scene.reach(7)
    balance = close_balance(scene, scene.components)
    scene.expect((balance.verdict, balance.unaccounted), ("holds", 0), "the first balance")


def correct(scene: ChipScene) -> None:
    """A mistake is declared and put right, both on record; undoing what a later transfer rests on is refused."""
    at = scene.reach(8)
    wrong, right = suspended(at, CHIPS[2:3], HALL), suspended(at, CHIPS[3:4], HALL)
    scene.taken([wrong], CLOUD)
    scene.expect(scene.standing(CHIPS[2]).state, "suspended", "the wrong chip")
    at = scene.reach(8.2)
    mended = declared_wrong(wrong, at, hash_id_of(right, at))
    scene.taken([mended, right], CLOUD)
    states = [scene.standing(chip).state for chip in CHIPS[2:4]]
    scene.expect(states, ["active", "suspended"], "after the correction")
    scene.say("corrected", wrong=_name(CHIPS[2]), right=_name(CHIPS[3]))
    scene.settle()
    scene.reach(9)
    before = scene.newest_alert()
    row = scene.capture([declared_wrong(first_shipment(scene), scene.now)], MAKER, DISTRIBUTOR)
    codes = {alert.code for alert in scene.alerts(("rests-on-it",), after=before)}
    scene.expect((row.refused, codes), (1, {"rests-on-it"}), "the late undoing")
    scene.expect(scene.custodians(), {CLOUD}, "custodian")
    why = scene.word("chip.alert.rests-on-it")
    scene.say("refused", why=why, code="rests-on-it", custodian=CLOUD)
    scene.settle()


def first_shipment(scene: ChipScene) -> dict[str, object]:
    """From maker to distributor, as it was told and as it is later repeated in a declaration."""
    return shipped(scene.day(2), SERVERS, FAB, (MAKER, DISTRIBUTOR), DOCK)


def close_balance(scene: ChipScene, counted: tuple[str, ...]) -> Balance:
    """The cloud closes its hall's next period by a count of these; told with its figures and reasons."""
    now = scene.now
    count = Inventory(party=CLOUD, area=HALL, taken=now, items=tuple(Item(epc=e) for e in counted))
    closed = scene.regime.books.balances.close(
        HALL, party=CLOUD, until=now, now=now, inventory=count
    )
    balance = closed.balance
    reasons = [scene.word(f"balance.reason.{reason}") for reason in balance.reasons]
    scene.say(
        "balance",
        number=balance.number,
        book=balance.book,
        counted=balance.counted,
        difference=balance.unaccounted,
        verdict=scene.word(f"chip.verdict.{balance.verdict}"),
        reasons="; ".join(reasons) or "-",
    )
    scene.settle()
    return balance


def _name(epc: str) -> str:
    return epc.rsplit("/", 1)[-1]
