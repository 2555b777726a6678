"""A year of chips, made up: a maker, three distributors, two clouds; who sends which document when, signed by whom.

Everything follows from the seed. Most weeks a lot of chips goes the plain way: made, shipped to a distributor,
received, shipped to a cloud in two halves, received, installed. In the weeks of `SCENES` something goes wrong or is
tried; what the register must say of it is written down beside it as planted (code, chip), and nothing else may be said.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from sekisho.model.instants import Instant, parse_instant
from sekisho.registry.terms import OWN_NAMESPACE, Place, RegisterTerms

__all__ = ["ADJUDICATOR", "PARTIES", "START", "TERMS", "Paper", "Year", "make_year"]

START = parse_instant("2026-11-23T00:00:00Z")
"""A Monday."""
DAY = 86_400
PARTIES = ("fab", "dist-a", "dist-b", "dist-c", "cloud-x", "cloud-y")
DISTRIBUTORS = ("dist-a", "dist-b", "dist-c")
CLOUDS = ("cloud-x", "cloud-y")
ADJUDICATOR = "adjudicator"
"""Stands for the charter keys that hold the power to adjudicate."""
SITES = {
    "fab": ("fab-1", "TW"),
    "dist-a": ("dock-a", "SG"),
    "dist-b": ("dock-b", "NL"),
    "dist-c": ("dock-c", "JP"),
    "cloud-x": ("hall-x", "JP"),
    "cloud-y": ("hall-y", "DE"),
}
TERMS = RegisterTerms(
    places=tuple(
        Place(place=place, country=country, keeper=party)
        for party, (place, country) in SITES.items()
    )
)
MODEL, OTHER_MODEL = "H200 SXM", "H20"
_CONTEXT = [
    "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",
    {"skh": OWN_NAMESPACE},
]


class Paper(msgspec.Struct, frozen=True, kw_only=True):
    """One document as it reaches the register: when, its bytes, and who endorses it (nobody: unsigned)."""

    sent: Instant
    document: bytes
    signers: tuple[str, ...]


class Year(msgspec.Struct, frozen=True, kw_only=True):
    """What is sent, in its order; what must be found, as (code, EPC); and where each chip ends."""

    papers: tuple[Paper, ...]
    planted: frozenset[tuple[str, str]]
    chips: tuple[str, ...]
    custodians: dict[str, str]
    states: dict[str, str]


def make_year(seed: int = 7, *, lot: int = 64, weeks: int = 48) -> Year:
    """The year of a seed: `lot` chips a week (at least 32), for so many weeks (52 fill the year)."""
    script = _Script(random.Random(seed), lot)
    for week in range(weeks):
        SCENES.get(week, _Script.plain)(script, week)
    for month in range(1, 12):
        script.count_stock(month * 30)
    return script.finish()


class _Script:
    """Writes the papers, and keeps by hand where every chip is."""

    def __init__(self, rng: random.Random, lot: int) -> None:
        self.rng = rng
        self.lot = lot
        self.papers: list[Paper] = []
        self.planted: set[tuple[str, str]] = set()
        self.custodian: dict[str, str] = {}
        self.state: dict[str, str] = {}
        self.servers = 0
        self.installed: list[tuple[int, str, str]] = []
        self.gone: dict[str, int] = {}

    def finish(self) -> Year:
        return Year(
            papers=tuple(sorted(self.papers, key=lambda paper: paper.sent)),
            planted=frozenset(self.planted),
            chips=tuple(self.custodian),
            custodians=dict(self.custodian),
            states=dict(self.state),
        )

    # --- the plain way -------------------------------------------------------------------------

    def plain(self, week: int) -> list[str]:
        """A lot goes its way; the chips."""
        chips = self.make(week)
        self.to_distributor(week, chips)
        self.to_clouds(week, chips)
        return chips

    def make(self, week: int, *, sent: float | None = None) -> list[str]:
        """Monday: the lot is commissioned, four chips of it one by one with their device keys."""
        day = 7 * week
        chips = [f"https://chips.example/id/gpu/Y27-{week:02d}-{n:04d}" for n in range(self.lot)]
        for n, chip in enumerate(chips[:4]):
            key = {"skh:deviceKeySha256": device_key(chip)}
            self.send(day + 0.1 + n / 1000, ["fab"], commissioned(chip, **key), sent=sent)
        self.send(day + 0.2, ["fab"], commissioned(*chips[4:]), sent=sent)
        for chip in chips:
            self.custodian[chip], self.state[chip] = "fab", "registered"
        return chips

    def to_distributor(self, week: int, chips: Sequence[str]) -> str:
        """Tuesday: shipped whole; Friday: received."""
        dist, day = DISTRIBUTORS[week % 3], 7 * week
        self.ship(day + 1.3, "fab", dist, chips)
        self.receive(day + 4.4, dist, chips)
        return dist

    def to_clouds(self, week: int, chips: Sequence[str]) -> None:
        """Wednesday after: shipped to the clouds by halves; Saturday: received; Monday: installed."""
        dist, day = DISTRIBUTORS[week % 3], 7 * week
        half = len(chips) // 2
        for cloud, part in ((CLOUDS[week % 2], chips[:half]), (CLOUDS[1 - week % 2], chips[half:])):
            self.ship(day + 9.2, dist, cloud, part)
            self.receive(day + 12.3, cloud, part)
            self.install(day + 14.1, cloud, part)

    # --- acts ----------------------------------------------------------------------------------

    def ship(
        self, day: float, by: str, to: str, chips: Sequence[str], *, sent: float | None = None
    ) -> None:
        self.send(day, [by], shipped(by, to, chips), sent=sent)
        for chip in chips:
            self.state[chip] = "in-transit"

    def receive(
        self, day: float, by: str, chips: Sequence[str], *, sent: float | None = None
    ) -> None:
        self.send(day, [by], received(by, chips), sent=sent)
        for chip in chips:
            self.custodian[chip], self.state[chip] = by, "registered"

    def install(self, day: float, by: str, chips: Sequence[str]) -> None:
        """Into servers of eight, then switched on."""
        for start in range(0, len(chips), 8):
            self.servers += 1
            server = f"https://chips.example/id/server/S-{self.servers:05d}"
            part = chips[start : start + 8]
            self.send(day + start / 10_000, [by], installed(by, server, part), activated(by, part))
            for chip in part:
                self.state[chip] = "active"
                self.installed.append((int(day) + 1, by, chip))

    def count_stock(self, day: int) -> None:
        """Each cloud lists what it has had since two days, a sixth of it; nothing is changed by it."""
        for cloud in CLOUDS:
            here = [
                chip
                for since, party, chip in self.installed
                if party == cloud and since + 2 < day < self.gone.get(chip, 10_000)
            ]
            seen = sorted(self.rng.sample(here, len(here) // 6))
            if seen:
                self.send(day + 0.5, [cloud], counted(cloud, seen))

    def send(
        self,
        day: float,
        signers: Iterable[str],
        *events: dict[str, Any],
        sent: float | None = None,
        is_dated: bool = False,
    ) -> bytes:
        """One document of these events, all at `day`, sent some minutes later or on day `sent`."""
        at = START.plus(round(day * DAY))
        dated = [event if is_dated else {"eventTime": str(at), **event} for event in events]
        delay = self.rng.randint(60, 3_000)
        sent_at = START.plus(round((day if sent is None else sent) * DAY) + delay)
        document = document_of(dated, sent_at)
        self.papers.append(Paper(sent=sent_at, document=document, signers=tuple(signers)))
        return document

    def again(self, paper: Paper, day: float) -> None:
        """The same bytes once more."""
        at = START.plus(round(day * DAY))
        self.papers.append(msgspec.structs.replace(paper, sent=at))

    def plant(self, code: str, *chips: str) -> None:
        self.planted.update((code, chip) for chip in chips)

    # --- what goes wrong -----------------------------------------------------------------------

    def twice(self, week: int) -> None:
        """Every document of a lot comes a second time, two days later: nothing happens twice."""
        before = len(self.papers)
        self.plain(week)
        for paper in self.papers[before:]:
            self.papers.append(msgspec.structs.replace(paper, sent=paper.sent.plus(2 * DAY)))

    def shipment_told_late(self, week: int) -> None:
        """The distributor's receipt is sent before the maker's shipment: it waits, then takes effect."""
        day, dist = 7 * week, DISTRIBUTORS[week % 3]
        chips = self.make(week)
        self.ship(day + 1.3, "fab", dist, chips, sent=day + 6.0)
        self.receive(day + 4.4, dist, chips)
        self.to_clouds(week, chips)

    def making_told_late(self, week: int) -> None:
        """Shipment and receipt come before anybody registered the chips: both wait."""
        chips = self.make(week, sent=7 * week + 6.0)
        self.to_distributor(week, chips)
        self.to_clouds(week, chips)

    def partial_receipt(self, week: int) -> None:
        """Six chips are missing at the receipt; four come later, two are overdue and then lost; one is found again."""
        day, dist = 7 * week, DISTRIBUTORS[week % 3]
        chips = self.make(week)
        late, lost = chips[:4], chips[4:6]
        self.ship(day + 1.3, "fab", dist, chips)
        self.receive(day + 4.4, dist, chips[6:])
        self.receive(day + 7.4, dist, late)
        self.plant("receipt-overdue", *lost)
        self.send(day + 20.0, ["fab"], happened("fab", lost, own("lost")))
        self.plant("lost-in-transit", *lost)
        for chip in lost:
            self.state[chip] = "lost"
        self.send(day + 90.0, ["fab"], happened("fab", lost[:1], own("found")))
        self.state[lost[0]] = "registered"
        self.to_clouds(week, [*late, *chips[6:]])

    def refused(self, week: int) -> None:
        """A cloud refuses five chips of its half: they go back to the distributor."""
        day, dist, cloud = 7 * week, DISTRIBUTORS[week % 3], CLOUDS[week % 2]
        chips = self.make(week)
        self.to_distributor(week, chips)
        self.to_clouds(week, chips[5:])
        five = chips[:5]
        self.ship(day + 9.25, dist, cloud, five)
        self.send(day + 12.25, [cloud], happened(cloud, five, own("refused")))
        self.send(day + 15.25, [dist], received(dist, five, disposition="returned"))
        for chip in five:
            self.state[chip] = "returned"

    def theft(self, week: int) -> None:
        """Three chips are stolen from a dock; one turns up in a cloud's count, is seized and given back."""
        day, dist = 7 * week, DISTRIBUTORS[week % 3]
        chips = self.make(week)
        self.to_distributor(week, chips)
        stolen = chips[:3]
        self.send(day + 6.0, [dist], happened(dist, stolen, "stolen"))
        for chip in stolen:
            self.state[chip] = "stolen"
        self.to_clouds(week, chips[3:])
        self.send(day + 40.0, ["cloud-y"], counted("cloud-y", stolen[:1]))
        self.plant("already-retired", stolen[0])
        self.send(day + 50.0, [ADJUDICATOR], happened(dist, stolen[:1], own("recovered")))
        self.state[stolen[0]] = "registered"

    def lost_shipment(self, week: int) -> None:
        """A whole shipment of eight to a cloud never arrives; the distributor gives it up before it is due."""
        day, dist, cloud = 7 * week, DISTRIBUTORS[week % 3], CLOUDS[week % 2]
        chips = self.make(week)
        self.to_distributor(week, chips)
        self.to_clouds(week, chips[8:])
        self.ship(day + 9.25, dist, cloud, chips[:8])
        self.send(day + 21.0, [dist], happened(dist, chips[:8], own("lost")))
        self.plant("lost-in-transit", *chips[:8])
        for chip in chips[:8]:
            self.state[chip] = "lost"

    def overdue(self, week: int) -> None:
        """A cloud confirms a shipment of eight only twenty days later."""
        day, dist, cloud = 7 * week, DISTRIBUTORS[week % 3], CLOUDS[week % 2]
        chips = self.make(week)
        self.to_distributor(week, chips)
        self.to_clouds(week, chips[8:])
        self.ship(day + 9.25, dist, cloud, chips[:8])
        self.receive(day + 29.5, cloud, chips[:8])
        self.plant("receipt-overdue", *chips[:8])

    def returned_for_repair(self, week: int) -> None:
        """A cloud sends two chips back; the maker turns one into another, and sends both."""
        day, cloud = 7 * week, CLOUDS[week % 2]
        pair = self.plain(week)[:2]
        server = self._server_of(pair[0])
        self.send(day + 30.0, [cloud], removed(cloud, server, pair))
        for chip in pair:
            self.gone[chip] = day + 29
        self.send(day + 31.0, [cloud], shipped(cloud, "fab", pair, rma=f"RMA-{week}"))
        self.send(day + 35.0, ["fab"], received("fab", pair, disposition="returned"))
        new = f"{pair[0]}-R"
        self.send(day + 38.0, ["fab"], reworked(pair[:1], [new]))
        self.state[pair[0]] = "destroyed"
        self.custodian[pair[0]] = "fab"
        back = [new, pair[1]]
        self.ship(day + 40.0, "fab", cloud, back)
        self.receive(day + 43.0, cloud, back)

    def clone(self, week: int) -> None:
        """A chip that runs in one cloud is counted in the other as well."""
        chip = self.plain(week)[9]
        other = CLOUDS[1 - week % 2]
        self.send(7 * week + 30.0, [other], counted(other, [chip]))
        self.plant("active-elsewhere", chip)

    def dummies(self, week: int) -> None:
        """Labels moved onto dummies: challenged, two of them answer with another key."""
        day, cloud = 7 * week, CLOUDS[week % 2]
        pair = self.plain(week)[:2]
        for n, chip in enumerate(pair):
            seen = inspected(cloud, [chip], **{"skh:deviceKeySha256": device_key(f"dummy {n}")})
            self.send(day + 33.0 + n / 10, [cloud], seen)
        self.plant("other-device-key", *pair)
        self.plant("model-mismatch", *pair)

    def another_model(self, week: int) -> None:
        """What is labelled as one model shows itself as a smaller one."""
        day, cloud = 7 * week, CLOUDS[week % 2]
        chip = self.plain(week)[10]
        self.send(day + 33.0, [cloud], inspected(cloud, [chip], **{"skh:model": OTHER_MODEL}))
        self.plant("model-mismatch", chip)

    def corrected(self, week: int) -> None:
        """A chip was told into the wrong server, and the maker told a wrong lot: both are declared, and corrected."""
        day, cloud = 7 * week, CLOUDS[week % 2]
        chips = self.make(week)
        wrong = [f"{chip}-X" for chip in chips[:3]]
        mistaken = {"eventTime": str(START.plus(round((day + 0.3) * DAY))), **commissioned(*wrong)}
        self.send(day + 0.3, ["fab"], mistaken, is_dated=True)
        self.send(day + 0.8, ["fab"], declared_wrong(mistaken, day + 0.8), is_dated=True)
        self.to_distributor(week, chips)
        self.to_clouds(week, chips[1:])
        dist, one = DISTRIBUTORS[week % 3], chips[:1]
        self.ship(day + 9.25, dist, cloud, one)
        self.receive(day + 12.25, cloud, one)
        at = {"eventTime": str(START.plus(round((day + 14.5) * DAY)))}
        mistaken = {**at, **installed(cloud, "https://chips.example/id/server/WRONG", one)}
        self.send(day + 14.5, [cloud], mistaken, is_dated=True)
        right = {**at, **installed(cloud, "https://chips.example/id/server/RIGHT", one)}
        self.send(day + 15.5, [cloud], declared_wrong(mistaken, day + 15.5), right, is_dated=True)

    def same_serial(self, week: int) -> None:
        """The maker registers a serial that it has given already, under another identifier."""
        chip = self.plain(week)[12]
        twin = f"{chip.replace('/gpu/', '/board/')}"
        event = commissioned(twin)
        self.send(7 * week + 20.0, ["fab"], event)
        self.plant("duplicate-serial", twin)

    def wrong_shipper(self, week: int) -> None:
        """A distributor ships what another one holds."""
        day = 7 * week
        other = DISTRIBUTORS[(week + 1) % 3]
        chips = self.make(week)
        self.to_distributor(week, chips)
        self.send(day + 6.0, [other], shipped(other, "cloud-x", chips[:2]))
        self.plant("other-holder", *chips[:2])
        self.to_clouds(week, chips)

    def scrapped(self, week: int) -> None:
        """Ten chips are destroyed; one of them is counted in the other cloud a month later."""
        day, cloud = 7 * week, CLOUDS[week % 2]
        chips = self.plain(week)
        ten = chips[:8]
        self.send(day + 25.0, [cloud], removed(cloud, self._server_of(ten[0]), ten))
        self.send(day + 26.0, [cloud], happened(cloud, ten, "destroyed", step="destroying"))
        for chip in ten:
            self.state[chip], self.gone[chip] = "destroyed", day + 24
        other = CLOUDS[1 - week % 2]
        self.send(day + 56.0, [other], counted(other, ten[:1]))
        self.plant("already-retired", ten[0])

    def unregistered(self, week: int) -> None:
        """A cloud counts a chip that nobody registered."""
        self.plain(week)
        stranger = "https://chips.example/id/gpu/NOBODY-1"
        self.send(7 * week + 20.0, ["cloud-x"], counted("cloud-x", [stranger]))
        self.plant("unknown-id", stranger)

    def unsigned(self, week: int) -> None:
        """Somebody sends a receipt that nobody signed."""
        day = 7 * week
        chips = self.make(week)
        self.ship(day + 1.3, "fab", DISTRIBUTORS[week % 3], chips)
        self.send(day + 2.0, [], received("cloud-y", chips[:2]))
        self.plant("unsigned", chips[0])
        self.receive(day + 4.4, DISTRIBUTORS[week % 3], chips)
        self.to_clouds(week, chips)

    def impossible_times(self, week: int) -> None:
        """A shipment before the chip was made, and a count a month ahead."""
        day = 7 * week
        chips = self.make(week)
        self.send(day - 9.0, ["fab"], shipped("fab", "dist-a", chips[:1]), sent=day + 0.5)
        self.plant("before-manufacture", chips[0])
        self.send(day + 30.0, ["fab"], counted("fab", chips[1:2]), sent=day + 0.5)
        self.plant("in-the-future", chips[1])
        self.to_distributor(week, chips)
        self.to_clouds(week, chips)

    def two_servers(self, week: int) -> None:
        """A chip is told into a second server while it lies in the first."""
        day, cloud = 7 * week, CLOUDS[week % 2]
        chip = self.plain(week)[0]
        server = "https://chips.example/id/server/SECOND"
        self.send(day + 20.0, [cloud], installed(cloud, server, [chip]))
        self.plant("two-containers", chip)

    def rests_on_it(self, week: int) -> None:
        """The maker and its distributor declare a shipment an error once its chips have gone on."""
        day, dist = 7 * week, DISTRIBUTORS[week % 3]
        chips = self.make(week)
        at = {"eventTime": str(START.plus(round((day + 1.3) * DAY)))}
        event = {**at, **shipped("fab", dist, chips)}
        self.send(day + 1.3, ["fab"], event, is_dated=True)
        self.receive(day + 4.4, dist, chips)
        self.to_clouds(week, chips)
        self.send(day + 10.5, ["fab", dist], declared_wrong(event, day + 10.5), is_dated=True)
        self.plant("rests-on-it", *chips)

    def undone_too_late(self, week: int) -> None:
        """The same three weeks after the shipment."""
        day, dist = 7 * week, DISTRIBUTORS[week % 3]
        chips = self.make(week)
        at = {"eventTime": str(START.plus(round((day + 1.3) * DAY)))}
        event = {**at, **shipped("fab", dist, chips)}
        self.send(day + 1.3, ["fab"], event, is_dated=True)
        self.receive(day + 4.4, dist, chips)
        self.send(day + 22.0, ["fab", dist], declared_wrong(event, day + 22.0), is_dated=True)
        self.plant("undo-too-late", chips[0])

    def _server_of(self, chip: str) -> str:
        """The server that a chip of the plain way was put into."""
        for paper in reversed(self.papers):
            for event in json.loads(paper.document)["epcisBody"]["eventList"]:
                if chip in event.get("childEPCs", ()) and event["action"] == "ADD":
                    return str(event["parentID"])
        raise KeyError(chip)


SCENES: dict[int, Callable[[_Script, int], object]] = {
    4: _Script.twice,
    6: _Script.shipment_told_late,
    8: _Script.making_told_late,
    10: _Script.partial_receipt,
    12: _Script.refused,
    14: _Script.theft,
    16: _Script.lost_shipment,
    18: _Script.overdue,
    20: _Script.returned_for_repair,
    22: _Script.clone,
    24: _Script.dummies,
    25: _Script.another_model,
    26: _Script.corrected,
    28: _Script.same_serial,
    30: _Script.wrong_shipper,
    32: _Script.scrapped,
    34: _Script.unregistered,
    36: _Script.unsigned,
    38: _Script.impossible_times,
    40: _Script.two_servers,
    42: _Script.rests_on_it,
    44: _Script.undone_too_late,
}


# --- events as EPCIS writes them -----------------------------------------------------------------


def own(act: str) -> str:
    """A disposition of our own vocabulary."""
    return f"{OWN_NAMESPACE}act/{act}"


def device_key(of: str) -> str:
    """A made-up digest of a device key."""
    return hashlib.sha256(f"device {of}".encode()).hexdigest()


def commissioned(*chips: str, **more: str) -> dict[str, Any]:
    return {
        **_object("fab", chips, "commissioning", "active", action="ADD"),
        "ilmd": {"skh:model": MODEL, **more},
    }


def shipped(by: str, to: str, chips: Sequence[str], *, rma: str = "") -> dict[str, Any]:
    event = _object(by, chips, "shipping", "in_transit")
    if rma:
        event["bizTransactionList"] = [{"type": "rma", "bizTransaction": f"urn:example:{rma}"}]
    return {
        **event,
        "sourceList": [{"type": "possessing_party", "source": party_uri(by)}],
        "destinationList": [
            {"type": "possessing_party", "destination": party_uri(to)},
            {"type": "location", "destination": place_uri(to)},
        ],
    }


def received(by: str, chips: Sequence[str], *, disposition: str = "in_progress") -> dict[str, Any]:
    return _object(by, chips, "receiving", disposition)


def activated(by: str, chips: Sequence[str]) -> dict[str, Any]:
    return _object(by, chips, "installing", "active")


def counted(by: str, chips: Sequence[str]) -> dict[str, Any]:
    return _object(by, chips, "stock_taking", "active")


def inspected(by: str, chips: Sequence[str], **more: str) -> dict[str, Any]:
    return {**_object(by, chips, "inspecting", "mismatch_instance"), **more}


def happened(
    by: str, chips: Sequence[str], disposition: str, *, step: str = "other"
) -> dict[str, Any]:
    return _object(by, chips, step, disposition)


def installed(by: str, server: str, chips: Sequence[str]) -> dict[str, Any]:
    return _association(by, server, chips, "ADD", "installing")


def removed(by: str, server: str, chips: Sequence[str]) -> dict[str, Any]:
    return _association(by, server, chips, "DELETE", "removing")


def reworked(inputs: Sequence[str], outputs: Sequence[str]) -> dict[str, Any]:
    return {
        "type": "TransformationEvent",
        "eventTimeZoneOffset": "+00:00",
        "inputEPCList": list(inputs),
        "outputEPCList": list(outputs),
        "bizStep": "repairing",
        "readPoint": {"id": place_uri("fab")},
        "bizLocation": {"id": place_uri("fab")},
        "ilmd": {"skh:model": MODEL},
    }


def declared_wrong(event: dict[str, Any], day: float) -> dict[str, Any]:
    """The same event again, with the declaration that it did not occur."""
    at = START.plus(round(day * DAY))
    return {**event, "errorDeclaration": {"declarationTime": str(at), "reason": "did_not_occur"}}


def document_of(events: Sequence[dict[str, Any]], created: Instant) -> bytes:
    return json.dumps(
        {
            "@context": _CONTEXT,
            "type": "EPCISDocument",
            "schemaVersion": "2.0",
            "creationDate": str(created),
            "epcisBody": {"eventList": list(events)},
        }
    ).encode()


def party_uri(party: str) -> str:
    return f"urn:sekisho:party:{party}"


def place_uri(party: str) -> str:
    return f"urn:sekisho:place:{SITES[party][0]}"


def _object(
    by: str, chips: Sequence[str], step: str, disposition: str, *, action: str = "OBSERVE"
) -> dict[str, Any]:
    return {
        "type": "ObjectEvent",
        "eventTimeZoneOffset": "+00:00",
        "epcList": list(chips),
        "action": action,
        "bizStep": step,
        "disposition": disposition,
        "readPoint": {"id": place_uri(by)},
        "bizLocation": {"id": place_uri(by)},
    }


def _association(
    by: str, server: str, chips: Sequence[str], action: str, step: str
) -> dict[str, Any]:
    return {
        "type": "AssociationEvent",
        "eventTimeZoneOffset": "+00:00",
        "parentID": server,
        "childEPCs": list(chips),
        "action": action,
        "bizStep": step,
        "readPoint": {"id": place_uri(by)},
    }
