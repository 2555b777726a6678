"""The counter over HTTP: what goes in, in which order the answers come, and what is refused how."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import msgspec
import pytest
import uvicorn

from sekisho.intake import Gate
from sekisho.ledger import appender as appender_module
from sekisho.ledger import leaf_hash
from sekisho.ledger.line import Line
from sekisho.ledger.recovery import RolledBack
from sekisho.model.errors import Unavailable
from sekisho.ports.log_store import Submission
from sekisho.signing import parse_envelope
from tests.intake.doors import STRANGER, WRITERS, Answer, Counter, envelope
from tests.ledger.logs import submission


@pytest.fixture
def counter() -> Counter:
    """A counter over a new log."""
    return Counter()


class SerialGate(Gate):
    """A gate of a log whose payloads are serials: what stands before the slash is for one statement alone."""

    def judge(self, raw: bytes, *, path: str = "") -> Submission:
        let_in = super().judge(raw, path=path)
        serial = parse_envelope(raw).payload.decode().split("/")[0]
        return msgspec.structs.replace(let_in, unique=(serial,))


# --- one envelope a request


def test_an_envelope_is_let_in_and_told_its_place(counter: Counter) -> None:
    """The answer names index and leaf, and the very bytes that came are the entry."""
    raw = envelope("a")
    answer = counter.ask(raw)
    assert (answer.status, answer.json()) == (
        200,
        {"index": 1, "leaf": leaf_hash(raw).hex(), "fresh": True},
    )
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-length"] == str(len(answer.body))
    assert answer.headers["cache-control"] == "no-store"
    assert counter.log.entries()[1] == raw


def test_the_same_statement_again_gives_the_first_place(counter: Counter) -> None:
    """Whoever got no answer asks again, under the same or other signatures."""
    first = counter.ask(envelope("a")).json()
    for again in (envelope("a"), envelope("a", *WRITERS[1:])):
        assert counter.ask(again).json() == {**first, "fresh": False}
    assert counter.log.sequencer.size == 2


def test_a_body_in_parts_is_one_envelope(counter: Counter) -> None:
    """However the network cuts it."""
    raw = envelope("a", size=5_000)
    parts = [raw[start : start + 700] for start in range(0, len(raw), 700)]
    answer = asyncio.run(counter.asking(parts))
    assert answer.json()["leaf"] == leaf_hash(raw).hex()


def test_an_envelope_without_its_quorum_is_forbidden(counter: Counter) -> None:
    """403 with the error's own code, and the log does not grow."""
    answer = counter.ask(envelope("a", WRITERS[0], STRANGER))
    assert (answer.status, answer.json()["code"]) == (403, "not-authorised")
    assert "1 of 2" in answer.json()["error"]
    assert counter.log.sequencer.size == 0


@pytest.mark.parametrize("body", [b"", b"{}", b"not json", b"\xff", b" " * 10])
def test_a_body_that_is_no_envelope_is_unprocessable(counter: Counter, body: bytes) -> None:
    """422, and the log does not grow."""
    answer = counter.ask(body)
    assert (answer.status, answer.json()["code"]) == (422, "invalid-input")
    assert counter.log.sequencer.size == 0


def test_an_envelope_longer_than_an_entry_is_refused_unread(counter: Counter) -> None:
    """413 as soon as it is longer than any entry; the longest that is none is let in."""
    fits = envelope("long", size=48_800)
    assert 65_000 < len(fits) <= 65_535
    assert counter.ask(fits).status == 200
    for body in (envelope("longer", size=49_200), bytes(64 << 20)):
        answer = counter.ask(body)
        assert (answer.status, answer.json()["code"]) == (413, "too-long")


def test_a_body_that_never_ends_is_refused_at_its_limit(counter: Counter) -> None:
    """No more is taken into memory than may be."""

    async def scenario() -> Answer:
        return await counter.asking([bytes(10_000)] * 100_000)

    started = time.monotonic()
    assert asyncio.run(scenario()).status == 413
    assert time.monotonic() - started < 60


def test_a_body_that_was_broken_off_is_not_judged(counter: Counter) -> None:
    """What a client did not finish is not let in, even where what came would be good."""
    raw = envelope("a")
    one = asyncio.run(counter.asking([raw], breaks_off=True))
    lines = asyncio.run(
        counter.asking([raw + b"\n" + raw[:10]], kind="application/jsonl", breaks_off=True)
    )
    assert (one.status, lines.status) == (400, 400)
    assert counter.log.sequencer.size == 0


def test_a_unique_key_that_is_held_is_a_conflict() -> None:
    """409 naming the key and who holds it."""
    counter = Counter(who=SerialGate([w.public for w in WRITERS], 2))
    counter.ask(envelope("serial-1/first"))
    answer = counter.ask(envelope("serial-1/second"))
    assert (answer.status, answer.json()["code"]) == (409, "uniqueness-conflict")
    assert answer.json()["error"] == "'serial-1' is held by entry 1"


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
def test_other_methods_are_not_allowed(counter: Counter, method: str) -> None:
    """405, saying which is."""
    answer = counter.ask(b"", method=method)
    assert (answer.status, answer.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize("path", ["/", "/checkpoint", "/add/", "/ADD", "/tile/0/000"])
def test_other_paths_are_the_public_folders(counter: Counter, path: str) -> None:
    """Everything but the counter is served by who serves the log's files, whatever the method."""
    for method in ("GET", "POST"):
        answer = counter.ask(envelope("a"), path=path, method=method)
        assert (answer.status, answer.body.decode()) == (200, f"public {path}")
    assert counter.log.sequencer.size == 0


# --- one envelope a line


def test_lines_are_answered_in_order_each_for_itself() -> None:
    """Good, bad, repeated and conflicting lines in one request: nobody's line keeps another's out."""
    counter = Counter(who=SerialGate([w.public for w in WRITERS], 2))
    counter.ask(envelope("held/x"))
    good, other = envelope("one/x"), envelope("two/x")
    answer = counter.ask_lines(
        [
            good,
            b"not json",
            envelope("held/y"),
            envelope("three/x", WRITERS[0]),
            b"",
            good,
            envelope("one/y"),
            envelope("long", size=49_200),
            other,
        ]
    )
    assert answer.status == 200
    said = answer.lines()
    assert [line.get("code") for line in said] == [
        None,
        "invalid-input",
        "uniqueness-conflict",
        "not-authorised",
        "invalid-input",
        None,
        "uniqueness-conflict",
        "invalid-input",
        None,
    ]
    assert [line["line"] for line in said if "code" in line] == [2, 3, 4, 5, 7, 8]
    assert [(x["index"], x["fresh"]) for x in said if "index" in x] == [
        (2, True),
        (2, False),
        (3, True),
    ]
    assert counter.log.entries()[2:] == [good, other]


def test_lines_of_nothing_good_leave_the_log_alone(counter: Counter) -> None:
    """Every line is answered, and nothing is appended."""
    answer = counter.ask_lines([b"no", envelope("a", STRANGER, WRITERS[0])])
    assert [line["code"] for line in answer.lines()] == ["invalid-input", "not-authorised"]
    assert counter.log.sequencer.size == 0


@pytest.mark.parametrize("end", [b"", b"\n"], ids=["open", "closed"])
def test_the_last_line_may_lack_its_end(counter: Counter, end: bytes) -> None:
    """As people send it."""
    body = envelope("a") + b"\n" + envelope("b") + end
    answer = counter.ask(body, kind="application/jsonl; charset=utf-8")
    assert [line["index"] for line in answer.lines()] == [1, 2]


def test_a_thousand_lines_go_together(counter: Counter) -> None:
    """As many as a request may have are let in, in order, behind one time mark."""
    lines = [envelope(str(number)) for number in range(1000)]
    answer = counter.ask_lines(lines)
    assert [line["index"] for line in answer.lines()] == list(range(1, 1001))
    assert counter.log.entries()[1:] == lines


@pytest.mark.parametrize("count", [0, 1001])
def test_no_line_and_too_many_are_refused(counter: Counter, count: int) -> None:
    """The whole request, with the number that it has, and nothing of it is let in."""
    answer = counter.ask_lines([envelope("a")] * count)
    assert answer.status == 422
    assert f"{count} lines" in answer.json()["error"]
    assert counter.log.sequencer.size == 0


def test_lines_beyond_the_limit_are_refused(counter: Counter) -> None:
    """More than eight megabytes are refused before a line is judged."""
    answer = counter.ask(b"x" * (8 * 1024 * 1024 + 1), kind="application/jsonl")
    assert (answer.status, answer.json()["code"]) == (413, "too-long")


# --- a log that cannot


def test_a_full_line_asks_to_come_again(counter: Counter) -> None:
    """429 with Retry-After while too much waits; the same envelope is let in when it does not."""
    counter = Counter(line=Line(max_rows=1))
    sequencer, waiting = counter.log.sequencer, []
    at_commit, go = threading.Event(), threading.Event()

    def hold(name: str, applied: bool) -> None:
        if (name, applied) == ("sequence", False):
            at_commit.set()
            assert go.wait(20)

    counter.log.database.on_step = hold
    for name in ("leads", "waits"):
        waiting.append(threading.Thread(target=sequencer.append_one, args=(submission(name),)))
        waiting[-1].start()
        assert at_commit.wait(20)
    while not sequencer._line._tickets:
        time.sleep(0.001)
    refused = [counter.ask(envelope("a")), counter.ask_lines([envelope("a"), envelope("b")])]
    go.set()
    for thread in waiting:
        thread.join(20)
    assert [(each.status, each.json()["code"]) for each in refused] == [(429, "overloaded")] * 2
    assert [each.headers["retry-after"] for each in refused] == ["1", "1"]
    assert counter.ask(envelope("a")).json()["fresh"]


def test_a_counter_that_holds_too_much_asks_to_come_again(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits in the event loop is bounded too, and those who were taken in are answered."""
    monkeypatch.setattr(appender_module, "MAX_ROWS", 3)

    async def scenario() -> list[int]:
        asking = [counter.asking([envelope(str(number))]) for number in range(40)]
        return sorted(answer.status for answer in await asyncio.gather(*asking))

    at_once = asyncio.run(scenario())
    assert set(at_once) <= {200, 429}
    assert counter.log.sequencer.size == 1 + at_once.count(200)


def test_a_database_that_is_away_is_unavailable(counter: Counter) -> None:
    """503, and the same request is let in when it is back."""

    def fail(name: str, applied: bool) -> None:
        raise Unavailable("no space left")

    counter.log.database.on_step = fail
    assert counter.ask(envelope("a")).status == 503
    assert counter.ask_lines([envelope("a"), b"bad"]).status == 503
    counter.log.database.on_step = lambda name, applied: None
    assert counter.ask(envelope("a")).json()["index"] == 1


def test_a_log_that_was_contradicted_takes_nothing_in(counter: Counter) -> None:
    """500 with the code that says why: this is for a person to mend."""
    counter.log.sequencer.refuse(RolledBack("the witnesses saw another tree"))
    answer = counter.ask(envelope("a"))
    assert (answer.status, answer.json()["code"]) == (500, "log-rolled-back")


# --- over a real server


@contextmanager
def serving(counter: Counter) -> Iterator[str]:
    """The counter behind a real HTTP server, for as long as the block lasts."""
    config = uvicorn.Config(
        counter.app, host="127.0.0.1", port=0, log_level="critical", access_log=False
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 60
    while not server.started:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(20)


def test_a_real_server_lets_many_clients_in(counter: Counter) -> None:
    """Single envelopes, lines and refusals of eight clients at once over TCP; each answer is true of the log."""
    placed: dict[bytes, int] = {}
    statuses: list[int] = []

    def work(address: str, client: int) -> None:
        with httpx.Client(base_url=address, trust_env=False) as http:
            for number in range(6):
                raw = envelope(f"one {client} {number}")
                placed[raw] = http.post("/add", content=raw).json()["index"]
            lines = [envelope(f"line {client} {number}") for number in range(20)]
            said = http.post(
                "/add",
                content=b"\n".join([*lines, b"bad"]),
                headers={"content-type": "application/jsonl"},
            ).text.splitlines()
            places = [msgspec.json.decode(line) for line in said]
            placed.update(zip(lines, (place["index"] for place in places[:-1]), strict=True))
            statuses.append(http.post("/add", content=envelope("x", STRANGER)).status_code)
            statuses.append(http.get("/add").status_code)
            assert http.get("/checkpoint").text == "public /checkpoint"

    with serving(counter) as address:
        clients = [threading.Thread(target=work, args=(address, n)) for n in range(8)]
        for client in clients:
            client.start()
        for client in clients:
            client.join(60)
    entries = counter.log.entries()
    assert len(placed) == len(set(placed.values())) == 8 * 26
    assert all(entries[index] == raw for raw, index in placed.items())
    assert sorted(statuses) == [403] * 8 + [405] * 8


def test_a_real_server_refuses_what_is_too_long(counter: Counter) -> None:
    """A body without end, in chunks, is answered before it ends, and the server goes on."""

    def endless() -> Iterator[bytes]:
        for _ in range(200):
            yield bytes(1_000)

    with serving(counter) as address, httpx.Client(base_url=address, trust_env=False) as http:
        assert http.post("/add", content=endless()).status_code == 413
        assert http.post("/add", content=envelope("a")).status_code == 200


def test_newline_at_the_end_of_a_posted_file_is_no_part_of_the_entry() -> None:
    """A file that an editor or a shell ended with a newline is the same entry as without."""
    counter, raw = Counter(), envelope("a")
    first = counter.ask(raw + b"\n")
    again = counter.ask(raw)
    assert (first.status, again.status) == (200, 200)
    assert again.json() == {**first.json(), "fresh": False}
    assert counter.ask(envelope("b") + b"\n\n").status == 422
