"""`sekisho log export`: one event for each entry, in three forms, to files and collectors, at least once."""

from __future__ import annotations

import json
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sekisho.model.statements import KINDS
from sekisho.model.wire import canonical
from sekisho.operations.log_events import SEVERITIES
from tests.certificates import write_certificate
from tests.cli.ceremonies import LICENSED, PAUSED, KeyHolder, sealed_until
from tests.factory_bundle import write_folder

FIRST = 3


@pytest.fixture
def holder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeyHolder:
    return KeyHolder(tmp_path, monkeypatch, second=PAUSED)


def rows(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text("ascii").splitlines()]


def export(holder: KeyHolder, *more: str | Path, code: int = 0) -> None:
    assert holder.call("log", "export", "--log", holder.log, *more) == code


def frames(data: bytes) -> list[str]:
    """Octet-counted syslog, cut by its own lengths."""
    found = []
    while data:
        length, _, rest = data.partition(b" ")
        found.append(rest[: int(length)].decode("utf-8"))
        data = rest[int(length) :]
    return found


def test_each_entry_is_one_event_with_stable_keys(holder: KeyHolder) -> None:
    """JSON lines: one for each entry in order, with the keys that the guide promises and nothing else."""
    out = holder.path("events.jsonl")
    export(holder, "--out", out)
    found = rows(out)
    assert [row["index"] for row in found] == list(range(len(found)))
    assert len({row["id"] for row in found}) == len(found)
    assert {tuple(row) for row in found} == {
        (
            *("v", "id", "origin", "index", "kind", "severity", "subject", "digest", "effective"),
            *("recorded_from", "recorded_to", "ids", "sentence"),
        )
    }
    (order,) = [row for row in found if row["kind"] == "order-issued"]
    assert order["severity"] == "alert"
    assert order["ids"] == {"order": "pause/JP 1"}
    assert str(order["recorded_from"]) < str(order["recorded_to"])


def test_every_logged_kind_has_a_severity() -> None:
    """No kind enters the log of which nobody said how grave it is."""
    assert set(SEVERITIES) == {name for name, kind in KINDS.items() if kind.logged}


def test_the_three_forms_tell_the_same_entries(holder: KeyHolder) -> None:
    """CEF and syslog carry the ids that JSON lines carry, each in its own place."""
    ids = {}
    for form, pattern in (
        ("jsonl", r'"id":"([0-9a-f]{64})"'),
        ("cef", r" ?externalId=([0-9a-f]{64}) "),
        ("syslog", r'\[event@32473 id="([0-9a-f]{64})"'),
    ):
        out = holder.path(f"events.{form}")
        export(holder, "--format", form, "--out", out)
        ids[form] = re.findall(pattern, out.read_text("utf-8"))
    assert ids["jsonl"]
    assert ids["jsonl"] == ids["cef"] == ids["syslog"]


def test_syslog_is_framed_by_its_octets(holder: KeyHolder) -> None:
    """Each frame has the length that stands before it, and the header of RFC 5424."""
    out = holder.path("events.syslog")
    export(holder, "--format", "syslog", "--out", out)
    for frame in frames(out.read_bytes()):
        assert re.match(r"<1[01]\d>1 (-|\d{4}-\S+Z) \S+ sekisho - [a-z-]{1,32} \[event@", frame)


def test_a_cursor_goes_on_where_the_last_export_ended(holder: KeyHolder) -> None:
    """A second start sends what came since and nothing twice into a file."""
    out, cursor = holder.path("events.jsonl"), holder.path("cursor.json")
    write_folder(holder.folder / "bundle", sealed_until(LICENSED).files)
    export(holder, "--out", out, "--cursor", cursor)
    before = len(rows(out))
    write_folder(holder.folder / "bundle", holder.sealed.files)
    export(holder, "--out", out, "--cursor", cursor)
    found = rows(out)
    assert 0 < before < len(found)
    assert [row["index"] for row in found] == list(range(len(found)))


def test_a_crash_before_the_cursor_sends_the_same_ids_again(holder: KeyHolder) -> None:
    """At least once: what was sent and not remembered comes again, byte for byte under the same ids."""
    out, cursor = holder.path("events.jsonl"), holder.path("cursor.json")
    export(holder, "--out", out, "--cursor", cursor)
    once = rows(out)
    cursor.unlink()
    with out.open("ab") as file:
        file.write(b'{"v":1,"id":"cut')  # the crash was in the middle of a line
    export(holder, "--out", out, "--cursor", cursor)
    lines = out.read_text("ascii").splitlines()
    assert lines[len(once)] == '{"v":1,"id":"cut'
    assert [json.loads(line) for line in lines[len(once) + 1 :]] == once


def test_after_begins_behind_an_entry(
    holder: KeyHolder, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    """`--after N` sends entry N + 1 first, on standard output where nothing else is named."""
    export(holder, "--after", str(FIRST))
    assert json.loads(capsysbinary.readouterr().out.splitlines()[0])["index"] == FIRST + 1


def test_a_log_that_went_back_is_not_exported(
    holder: KeyHolder, capsys: pytest.CaptureFixture[str]
) -> None:
    """A cursor knows the tree that it was read under; a smaller one is refused before anything is sent."""
    out, cursor = holder.path("events.jsonl"), holder.path("cursor.json")
    export(holder, "--out", out, "--cursor", cursor)
    before = out.read_bytes()
    write_folder(holder.folder / "bundle", sealed_until(LICENSED).files)
    export(holder, "--out", out, "--cursor", cursor, code=1)
    assert "went back" in capsys.readouterr().err
    assert out.read_bytes() == before


def test_a_log_that_was_rewritten_is_not_exported(holder: KeyHolder) -> None:
    """The cursor's root must be a beginning of what is read now."""
    out, cursor = holder.path("events.jsonl"), holder.path("cursor.json")
    export(holder, "--out", out, "--cursor", cursor)
    before = out.read_bytes()
    kept = json.loads(cursor.read_bytes())
    cursor.write_text(json.dumps({**kept, "root": "00" * 32}))
    export(holder, "--out", out, "--cursor", cursor, code=1)
    assert out.read_bytes() == before


def test_a_changed_entry_is_not_exported(holder: KeyHolder) -> None:
    """One byte changed in a bundle of entries: no event, since nothing is believed before the root confirms it."""
    (bundle,) = (Path(holder.log) / "tile" / "entries").rglob("*.p/*")
    data = bundle.read_bytes()
    bundle.write_bytes(data[:-9] + bytes([data[-9] ^ 1]) + data[-8:])
    out = holder.path("events.jsonl")
    export(holder, "--out", out, code=1)
    assert not out.exists()


def test_nothing_concealed_is_in_an_event(holder: KeyHolder) -> None:
    """The bundle's disclosures lie beside the log, and no text of theirs is in any form."""
    hidden = [
        text
        for texts in json.loads(holder.sealed.files["disclosures.json"]).values()
        for text in texts
    ]
    assert hidden
    for form in ("jsonl", "cef", "syslog"):
        out = holder.path(f"events.{form}")
        export(holder, "--format", form, "--out", out)
        assert not [text for text in hidden if text in out.read_text("utf-8")]


@contextmanager
def collector(context: ssl.SSLContext | None = None) -> Iterator[tuple[int, list[bytes]]]:
    """A collector on this machine: its port, and what each connection brought, whole once it ended."""
    took: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def take() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                try:
                    with (
                        context.wrap_socket(connection, server_side=True)
                        if context
                        else connection as s
                    ):
                        data = b""
                        while more := s.recv(65_536):
                            data += more
                    took.append(data)
                except OSError:
                    continue

        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        yield server.getsockname()[1], took
        server.shutdown(socket.SHUT_RDWR)
    thread.join()


def test_a_collector_over_tls_takes_octet_counted_frames(holder: KeyHolder) -> None:
    """The frames that arrive over TLS are those of the file, and a stranger's certificate gets none."""
    certificate, key = holder.path("tls.pem"), holder.path("tls.key")
    write_certificate(certificate, key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    out = holder.path("events.syslog")
    export(holder, "--format", "syslog", "--out", out)
    with collector(context) as (port, took):
        place = f"tls://127.0.0.1:{port}"
        export(holder, "--format", "syslog", "--out", place, code=4)
        export(holder, "--format", "syslog", "--out", place, "--ca", certificate)
    assert took == [out.read_bytes()]


def test_a_new_connection_repeats_the_newest_events(holder: KeyHolder) -> None:
    """TCP acknowledges nothing: a second start sends the last events once more, under the same ids."""
    cursor = holder.path("cursor.json")
    with collector() as (port, took):
        for _ in range(2):
            export(holder, "--out", f"tcp://127.0.0.1:{port}", "--cursor", cursor)
    assert len(took) == 2
    assert took[0] == took[1]


@pytest.mark.parametrize(
    "place", ["tcp://192.0.2.1:514", "udp://127.0.0.1:514", "tls://127.0.0.1", "missing/events"]
)
def test_what_is_no_place_for_events_is_refused(holder: KeyHolder, place: str) -> None:
    """Plain TCP leaves this machine never; a place without port or folder is named."""
    export(holder, "--out", place, code=2)


def test_following_sends_what_comes_and_ends_at_a_signal(holder: KeyHolder) -> None:
    """A running export sends a grown log's new entries, and a signal ends it after the batch, with exit 0."""
    out, cursor = holder.path("events.jsonl"), holder.path("cursor.json")
    write_folder(holder.folder / "bundle", sealed_until(LICENSED).files)
    words = ["log", "export", "--log", holder.log, "--policy", str(holder.path("root.json"))]
    holder.path("root.json").write_bytes(canonical(holder.sealed.root))
    more = ["--out", str(out), "--cursor", str(cursor), "--follow", "--every", "1s"]
    with subprocess.Popen([sys.executable, "-m", "sekisho.cli", *words, *more]) as running:
        try:
            wait_for(cursor.exists, running)
            before = json.loads(cursor.read_bytes())["next"]
            write_folder(holder.folder / "bundle", holder.sealed.files)
            wait_for(lambda: json.loads(cursor.read_bytes())["next"] > before, running)
        finally:
            running.send_signal(signal.SIGTERM)
        assert running.wait() == 0
    found = rows(out)
    assert [row["index"] for row in found] == list(range(len(found)))
    assert len(found) > before


def test_an_export_that_was_killed_goes_on_without_a_gap(holder: KeyHolder) -> None:
    """SIGKILL as soon as anything was sent: the next start sends the rest; what comes twice bears the same id."""
    out, cursor = holder.path("events.jsonl"), holder.path("cursor.json")
    write_folder(holder.folder / "bundle", sealed_until(LICENSED).files)
    words = ["log", "export", "--log", holder.log, "--policy", str(holder.path("root.json"))]
    holder.path("root.json").write_bytes(canonical(holder.sealed.root))
    more = ["--out", str(out), "--cursor", str(cursor), "--follow", "--every", "1s"]
    with subprocess.Popen([sys.executable, "-m", "sekisho.cli", *words, *more]) as running:
        wait_for(lambda: out.exists() and out.stat().st_size > 0, running)
        running.kill()
    write_folder(holder.folder / "bundle", holder.sealed.files)
    export(holder, "--out", out, "--cursor", cursor)
    found = rows(out)
    first = {row["id"]: row for row in reversed(found)}
    assert all(first[row["id"]] == row for row in found)
    assert list(dict.fromkeys(row["index"] for row in found)) == list(range(len(first)))
    export(holder, "--out", holder.path("whole.jsonl"))
    assert [row["id"] for row in rows(holder.path("whole.jsonl"))] == list(
        dict.fromkeys(row["id"] for row in found)
    )


def wait_for(condition: Callable[[], bool], running: subprocess.Popen[bytes]) -> None:
    while not condition():
        assert running.poll() is None
        time.sleep(0.05)
