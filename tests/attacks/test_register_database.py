"""Attacks on the register's database: by what documents say, and by whoever can write its file."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from sekisho.adapters.storage import register_packing
from sekisho.adapters.storage.register_sql import RegisterSql, open_register
from sekisho.model.errors import Corrupt, StateConflict
from sekisho.ports.register_store import Change, EventFilter
from tests.registered import (
    alert,
    captured,
    chip,
    dump,
    event,
    key_of,
    line,
    movement,
    registering,
    standing,
)

KINDS = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
INJECTIONS = [
    "'; DROP TABLE events; --",
    '"; DELETE FROM register.events; --',
    "') OR 1=1 --",
    "%s %(wanted)s :wanted ? {} \\",
    ']} " \' ["',
    "x' || (SELECT salt FROM events) || '",
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", INJECTIONS)
def test_sql_in_identifiers_is_only_text(
    kind: str, text: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """In every field that a document fills: stored, found and given back as it was, and nothing else changes."""
    place = (
        tmp_path / "register.sqlite"
        if kind == "sqlite"
        else request.getfixturevalue("postgres_url")
    )
    with open_register(place) as store:
        store.save(registering(1, [1]))
        at = standing(
            text, serial=text, maker=text, model=text, device_key=text, site=text, licence=text
        )
        change = registering(
            2,
            {2: at},
            number=2,
            contained={text: f"{text} box"},
            movements={text: movement(text, epcs=[text], shipper=text)},
            alerts=[alert(2, epc=text, code=text, detail=text)],
            lines=[line(2, area=text, code=text, epc=text, other=text)],
        )
        rows = [
            msgspec.structs.replace(row, read_point=text, biz_location=text, parties=(text,))
            for row in change.events
        ]
        store.save(msgspec.structs.replace(change, events=rows))
        assert store.load_standings([text]) == {text: at}
        assert store.find_identities([(text, text)]) == {(text, text): text}
        assert store.find_device_keys([text]) == {text: text}
        assert store.load_movements([text])[text].shipper == text
        assert store.load_containers([text]) == {text: f"{text} box"}
        assert [row.epc for row in store.load_alerts(after=0, limit=9, epc=text)] == [text]
        assert list(store.iterate_standings({"site": [text]})) == [at]
        assert store.count_holdings(["site"], {"model": [text]})[0].values == (text,)
        wanted = EventFilter(match_epcs=(text,), read_points=(text,), biz_locations=(text,))
        assert store.find_events(wanted, after=0, limit=9).events[0].parties == (text,)
        assert store.load_numbers().event == 2
        assert list(store.load_standings([chip(1)])) == [chip(1)]


def test_keys_that_begin_alike_are_told_apart(tmp_path: Path) -> None:
    """Whoever finds two digests with the same eight bytes gains nothing: the whole is compared."""
    same = key_of("x")[:8]
    one, two, three = (same + bytes([n]) * 24 for n in (1, 2, 3))
    ids = [f"ni:///sha-256;{key.hex()}?ver=CBV2.0" for key in (one, two, three)]
    with open_register(tmp_path / "register.sqlite") as store:
        rows = [event(1, key=one, hash_id=ids[0]), event(2, key=two, hash_id=ids[1])]
        store.save(Change(captures=[captured()], events=rows))
        pairs = list(zip((one, two, three), ids, strict=True))
        assert store.find_keys(pairs) == {one: 1, two: 2}
        assert list(store.find_hashes(ids)) == ids[:2]
        assert [row.number for row in store.find_hashes(ids)[ids[1]]] == [2]
        store.save(Change(events=[event(3, key=three, hash_id=ids[2])]))
        with pytest.raises(StateConflict):
            store.save(Change(events=[event(4, key=two, hash_id=ids[1])]))


def filled(path: Path) -> None:
    with open_register(path) as store:
        store.save(
            registering(
                1,
                [1, 2],
                movements={"26TW1": movement("26TW1")},
                alerts=[alert(1)],
                lines=[line(1)],
            )
        )


Asked = Callable[[RegisterSql], object]
CHANGES: list[tuple[str, Asked]] = [
    (
        "UPDATE events SET document = x'01' || x'ffffffff'",
        lambda s: s.load_events(after=0, limit=9),
    ),
    ("UPDATE events SET document = x''", lambda s: s.load_events(after=0, limit=9)),
    ("UPDATE events SET document = x'07'", lambda s: s.load_timeline(chip(1))),
    ("UPDATE events SET document = 'text'", lambda s: s.load_events(after=0, limit=9)),
    ("UPDATE events SET hash = 'text'", lambda s: s.load_history([chip(1)])),
    ("UPDATE events SET hash = x'02ff'", lambda s: s.load_history([chip(1)])),
    ("UPDATE events SET hash = x'00ff'", lambda s: s.load_history([chip(1)])),
    ("UPDATE events SET salt = 'text'", lambda s: s.load_batch_salts(1)),
    ("UPDATE events SET at = 'noon'", lambda s: s.load_events(after=0, limit=9)),
    ("UPDATE events SET type = 9999", lambda s: s.load_events(after=0, limit=9)),
    ("UPDATE events SET type = 'ObjectEvent'", lambda s: s.load_events(after=0, limit=9)),
    (
        "UPDATE events SET parties = (SELECT id FROM words WHERE word = 'H200')",
        lambda s: s.load_events(after=0, limit=9),
    ),
    ("UPDATE outcomes SET outcome = 9", lambda s: s.load_events(after=0, limit=9)),
    ("UPDATE standings SET made = 'noon'", lambda s: s.load_standings([chip(1)])),
    ("UPDATE standings SET component = owner", lambda s: s.load_standings([chip(1)])),
    ("UPDATE standings SET state = owner", lambda s: s.load_standings([chip(1)])),
    ("UPDATE standings SET device_key = x'01ff'", lambda s: s.load_standings([chip(1)])),
    ("UPDATE standings SET serial = x'ff'", lambda s: s.load_standings([chip(1)])),
    (
        "UPDATE words SET word = cast(x'ff' AS TEXT) WHERE word = 'H200'",
        lambda s: s.load_standings([chip(1)]),
    ),
    ("DELETE FROM words", lambda s: s.load_alerts(after=0, limit=9)),
    ("DELETE FROM epcs", lambda s: list(s.iterate_standings()) or s.load_alerts(after=0, limit=9)),
    ("UPDATE movements SET document = x'00' || '{}'", lambda s: s.load_movements(["26TW1"])),
    ("UPDATE captures SET problems = 'text'", lambda s: s.find_capture("c1")),
    ("UPDATE captures SET received = 'noon'", lambda s: s.load_captures(after="", limit=9)),
    ("UPDATE batches SET root = 'text'", lambda s: s.find_batch(1)),
    ("UPDATE batches SET made = 'noon'", lambda s: s.load_batches()),
    ("UPDATE lines SET area = area, code = 9999", dump),
    ("DROP TABLE lines", dump),
    ("UPDATE progress SET effect = 'many'", lambda s: s.load_numbers()),
    ("DELETE FROM progress", lambda s: s.load_numbers()),
]


@pytest.mark.parametrize(("statement", "asked"), CHANGES, ids=[text for text, _ in CHANGES])
def test_a_changed_file_is_named_corrupt(tmp_path: Path, statement: str, asked: Asked) -> None:
    """Text where bytes belong, numbers that mean nothing, documents that do not unpack: never a value made up."""
    path = tmp_path / "register.sqlite"
    filled(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        loosened = raw.execute(
            "SELECT name, sql FROM sqlite_schema WHERE type = 'table'"
        ).fetchall()
        # The tables refuse wrong types; whoever edits the file's bytes is not asked, so the test lets them in too.
        raw.execute("PRAGMA writable_schema=ON")
        for name, sql in loosened:
            loose = sql.replace("STRICT", "").rstrip().rstrip(",").rstrip()
            raw.execute("UPDATE sqlite_schema SET sql = ? WHERE name = ?", (loose, name))
        raw.execute("PRAGMA writable_schema=RESET")
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        raw.execute(statement)
    with open_register(path) as store, pytest.raises(Corrupt) as found:
        asked(store)
    assert found.value.message


def test_a_file_of_garbage_is_refused(tmp_path: Path) -> None:
    """A damaged page is met as Corrupt with its remedy, whether at opening or when it is read."""
    path = tmp_path / "register.sqlite"
    filled(path)
    whole = bytearray(path.read_bytes())
    for start in range(4096, len(whole), 4096):
        whole[start : start + 64] = bytes([0xAA]) * 64
    path.write_bytes(whole)
    with pytest.raises(Corrupt) as found, open_register(path) as store:
        dump(store)
    assert found.value.remedy


def test_a_document_that_unpacks_without_end_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A few bytes in the file never become more than a document may be long."""
    path = tmp_path / "register.sqlite"
    with open_register(path) as store:
        store.save(Change(captures=[captured()], events=[event(1, document=b"a" * 5_000_000)]))
    with open_register(path) as store:
        assert len(store.load_events(after=0, limit=1)[0].document) == 5_000_000
        monkeypatch.setattr(register_packing, "LONGEST", 4_000_000)
        with pytest.raises(Corrupt, match="too long"):
            store.load_events(after=0, limit=1)
