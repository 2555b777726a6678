"""Documents and hash vectors of others: all are read, and every id is reproduced."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from sekisho.registry.epcis import event_document, event_of, hash_id, parse_document, prehash

pytestmark = pytest.mark.testdata

# Pre-hash lines that do not hash to their own id: a copy that was cut up, the line of another event, one cut off. The
# ids beside them are sound, and ours; nothing here bends to the lines.
STALE = {
    ("epcisDocWithAllGS1Keys", 0),
    ("epcisDocWithCustomSchemaInContext", 1),
    ("epcisDocWithDefaultSchemaInContext", 1),
}


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def _id_of(line: str) -> str:
    return f"ni:///sha-256;{hashlib.sha256(line.encode()).hexdigest()}?ver=CBV2.0"


def test_every_pre_hash_line_and_every_id_is_reproduced(public_records: Path) -> None:
    """Forty-three events in twenty-two documents; the stale lines are exactly the three that are named."""
    count, stale = 0, set()
    for path in sorted((public_records / "epcis/event_hash/examples").glob("*.jsonld")):
        found = parse_document(path.read_bytes(), path=path.name)
        assert found.problems == ()
        lines, ids = _lines(path.with_suffix(".prehashes")), _lines(path.with_suffix(".hashes"))
        assert [hash_id(event) for event in found.events] == ids
        for at, (event, line) in enumerate(zip(found.events, lines, strict=False)):
            if _id_of(line) != ids[at]:
                stale.add((path.stem, at))
            else:
                assert prehash(event) == line
        count += found.total
    assert (count, stale) == (43, STALE)


def test_events_that_are_to_be_equal_are(public_records: Path) -> None:
    """One event in two spellings of a document."""
    folder = public_records / "epcis/event_hash/expected_equal"
    for path in folder.glob("*.json"):
        found = parse_document(path.read_bytes())
        assert found.problems == ()
        assert len({hash_id(event) for event in found.events}) == 1


def test_every_document_is_accepted_and_kept_without_loss(public_records: Path) -> None:
    """All forty-three and our own sample, the one that the published schema refuses among them; each keeps its hash."""
    folder = public_records / "epcis"
    paths = [*sorted((folder / "openepcis").rglob("*.json")), folder / "own_chip_custody.jsonld"]
    assert len(paths) == 44
    for path in paths:
        found = parse_document(path.read_bytes(), path=path.name)
        assert (path.name, found.problems) == (path.name, ())
        for event in found.events:
            assert hash_id(event_of(event_document(event))) == hash_id(event)


def test_the_known_deviation_lacks_a_type_beside_an_exception(public_records: Path) -> None:
    """The published schema wants a type in every report; a report that raises an alarm says what it is about."""
    name = "SensorData_with_combined_events.json"
    found = parse_document((public_records / "epcis/openepcis/Documents" / name).read_bytes())
    reports = [
        report
        for event in found.events
        for element in event.sensors
        for report in element["sensorReport"]
    ]
    without = [report for report in reports if "type" not in report]
    assert without
    assert all("exception" in report for report in without)
