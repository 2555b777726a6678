"""`bench/register_story.py`: the rows that the figures are taken with are those that captures store."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sekisho.adapters.storage.register_sql import open_register
from sekisho.model.instants import Instant
from sekisho.operations.register.endorsing import Endorsed
from sekisho.operations.register.grouping import Grounds, decide_group
from sekisho.operations.register.line import Reading
from sekisho.ports.register_store import Change
from sekisho.registry.balance import Areas
from sekisho.registry.epcis import event_document, event_key, hash_id, parse_document
from sekisho.registry.terms import Place, RegisterTerms

BENCH = Path(__file__).parents[2] / "bench"


@pytest.fixture(scope="module")
def told() -> Any:
    """The module, which like all of bench/ is a script among scripts."""
    sys.path.insert(0, str(BENCH))
    try:
        return importlib.import_module("register_story")
    finally:
        sys.path.remove(str(BENCH))


def terms_of(told: Any) -> RegisterTerms:
    """Fabs and halls as the lives have them."""
    lives = [told.life_of(number) for number in range(400)]
    countries = {life.hall: life.country for life in lives}
    keepers = {life.hall: life.cloud for life in lives}
    makers = dict(zip(told.FABS, told.MAKERS, strict=True))
    return RegisterTerms(
        places=(
            *(Place(place=fab, country=told.FAB_COUNTRY, keeper=makers[fab]) for fab in told.FABS),
            *(
                Place(place=hall, country=country, keeper=keepers[hall])
                for hall, country in sorted(countries.items())
            ),
        )
    )


def reading_of(change: Change, received: Instant) -> list[Reading]:
    """The documents that these events would have come in: one each, endorsed by who is said to have."""
    found = []
    for row in change.events:
        read = parse_document(row.document)
        found.append(
            Reading(
                capture=f"capture {row.number}",
                sha256="0" * 64,
                size=len(row.document),
                whole=b"",
                endorsement=b"",
                endorsed=Endorsed(parties=frozenset(row.parties)),
                behaviour="rollback",
                document=read,
                hash_ids=tuple(hash_id(event) for event in read.events),
                keys=tuple(event_key(event) for event in read.events),
                documents=tuple(event_document(event) for event in read.events),
            )
        )
    assert received >= max(row.at for row in change.events)
    return found


@pytest.mark.parametrize("lots", [False, True])
def test_rows_are_those_that_captures_store(
    told: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, lots: bool
) -> None:
    """Lives through all stages: each row of events, touches, standings, movements, contents and lines."""
    monkeypatch.setattr(told, "LOT", 4)
    world = told.World(chips=8, lots=lots)
    terms = terms_of(told)
    story = told.Story()
    together = [lives for lot in (0, 4) for lives in world.events_of(lot)]
    assert [life for lives in together for life in lives] == [world.life(n) for n in range(8)]
    stages = told.SHIPMENT if lots else range(told.STAGES)
    with open_register(tmp_path / "register.sqlite") as store:
        for stage in stages:
            made = story.change(together, stage)
            salts = iter([row.salt for row in made.events])
            grounds = Grounds(
                store=store,
                terms=terms,
                areas=Areas.of(terms),
                draw_salt=lambda: next(salts),  # noqa: B023  # drawn at once
            )
            received = told.START.plus(400 * told.DAY)
            readings = reading_of(made, received)
            real, _ = decide_group(grounds, readings, store.load_numbers(), now=received)
            assert real.alerts == (), stage
            for one, other in zip(made.events, real.events, strict=True):
                same = msgspec.structs.replace(
                    other, capture=one.capture, received=one.received, batch=one.batch
                )
                assert one == same, stage
            assert set(made.touches) == set(real.touches), stage
            assert dict(made.standings) == dict(real.standings), stage
            assert dict(made.movements) == dict(real.movements), stage
            assert dict(made.contained) == dict(real.contained), stage
            assert list(made.lines) == list(real.lines), stage
            store.save(real)
        first = world.life(0).epc
        assert store.load_standings([first])[first].state == ("registered" if lots else "active")
        assert len(store.load_timeline(first)) == len(stages)
