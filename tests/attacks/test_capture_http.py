"""Attacks on /epcis: bodies, headers, names and queries that are meant to break the server or to reach beyond it."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from sekisho.ledger.line import Overloaded
from sekisho.model.wire import MAX_DOCUMENT, encode_base64
from sekisho.web import create_app, epcis_bodies
from sekisho.web.epcis_bodies import Room
from tests.capturing import PARTIES, chip, commissioned, document, endorsed, enrolled
from tests.factory import AUTHORITY, signer
from tests.regime import LiveRegime, live_regime
from tests.web.serving import serving

JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def regime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveRegime]:
    with live_regime(tmp_path_factory.mktemp("regime")) as running:
        for party in PARTIES:
            running.submit(enrolled(party), AUTHORITY[0])
        yield running


@pytest.fixture(scope="module")
def client(regime: LiveRegime) -> Iterator[TestClient[Litestar]]:
    app = create_app(regime.control)
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as asking:
        yield asking


@pytest.fixture(scope="module")
def address(regime: LiveRegime) -> Iterator[str]:
    with serving(regime.control) as served:
        yield served


def is_alive(address: str) -> bool:
    return httpx.get(f"{address}/epcis/events?perPage=1", timeout=10).status_code == 200


def connect(address: str) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2])), timeout=10)


def test_header_flood_of_one_endorsement(client: TestClient[Litestar]) -> None:
    """An endorsement longer than any true one is refused before it is decoded."""
    data = document(commissioned(chip(1)))
    flood = {**JSON, "sekisho-endorsement": "A" * 20_000}
    answer = client.post("/epcis/capture", content=data, headers=flood)
    assert (answer.status_code, answer.json()["path"]) == (400, "Sekisho-Endorsement")


def test_header_flood_of_many_endorsements(client: TestClient[Litestar]) -> None:
    """Two endorsements are ambiguous: which would count? None does."""
    data = document(commissioned(chip(1)))
    value = encode_base64(endorsed(data, "maker") or b"")
    headers = httpx.Headers([*JSON.items(), *[("sekisho-endorsement", value)] * 2])
    answer = client.post("/epcis/capture", content=data, headers=headers)
    assert answer.status_code == 400


def test_header_flood_at_the_socket(address: str) -> None:
    """Megabytes of headers end the connection, not the server."""
    with connect(address) as flooding:
        flooding.sendall(b"POST /epcis/capture HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        try:
            for n in range(64):
                flooding.sendall(b"X-%d: %b\r\n" % (n, b"y" * 65_536))
            flooding.sendall(b"\r\n")
            flooding.recv(1_024)
        except OSError:
            pass
    assert is_alive(address)


def test_capture_bomb_that_says_its_size(address: str) -> None:
    """Refused by its announcement: not a byte of it is read."""
    with connect(address) as bomb:
        head = f"POST /epcis/capture HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {MAX_DOCUMENT + 1}\r\n\r\n"
        bomb.sendall(head.encode())
        assert b" 413 " in bomb.recv(4_096).split(b"\r\n")[0]
    assert is_alive(address)


def test_capture_bomb_in_chunks(address: str) -> None:
    """Without an announced size it is counted while it comes."""

    def chunks() -> Iterator[bytes]:
        for _ in range(MAX_DOCUMENT // 1_048_576 + 2):
            yield b" " * 1_048_576

    try:
        answer = httpx.post(f"{address}/epcis/capture", content=chunks(), headers=JSON, timeout=30)
        assert answer.status_code == 413
    except (httpx.WriteError, httpx.RemoteProtocolError, httpx.ReadError):
        pass  # hung up while we still wrote
    assert is_alive(address)


def test_capture_bomb_of_brackets(client: TestClient[Litestar]) -> None:
    """A hundred thousand levels deep."""
    answer = client.post("/epcis/capture", content=b"[" * 100_000, headers=JSON)
    assert answer.status_code == 400


def test_capture_bomb_of_one_name_twice(client: TestClient[Litestar]) -> None:
    """JSON that different readers read differently is read by nobody."""
    data = document(commissioned(chip(1))).replace(b'"action"', b'"action": "OBSERVE", "action"')
    assert client.post("/epcis/capture", content=data, headers=JSON).status_code == 400


def test_capture_bomb_that_is_packed(client: TestClient[Litestar]) -> None:
    """Nothing is unpacked: what says that it is packed is read as it came, and is no JSON."""
    answer = client.post(
        "/epcis/capture",
        content=b"\x1f\x8b" + b"\0" * 100,
        headers={**JSON, "content-encoding": "gzip"},
    )
    assert answer.status_code == 400


def test_body_that_trickles_is_cut_off(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who announces megabytes and sends them by the second does not hold the room for ever."""
    monkeypatch.setattr(epcis_bodies, "BODY_WITHIN_S", 0.3)
    with connect(address) as slow:
        slow.sendall(
            b"POST /epcis/capture HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000\r\n\r\n{"
        )
        assert b" 408 " in slow.recv(4_096).split(b"\r\n")[0]
    assert is_alive(address)


def test_many_large_bodies_at_once_push_back() -> None:
    """So many bytes are held and no more; who comes then is told to come again."""
    room = Room(100)
    with room.hold(1_000):
        for size in (1, 1_000):
            try:
                with room.hold(size):
                    raise AssertionError("let in")
            except Overloaded:
                pass
    with room.hold(60), room.hold(40):
        pass


def test_flood_of_captures_is_answered_not_swallowed(regime: LiveRegime) -> None:
    """Whatever many clients send at once, each is told what became of it, and all told are there."""
    data = [document(commissioned(f"{chip(n)}-flood")) for n in range(60)]
    with serving(regime.control) as address:
        answers: list[int] = []

        def send(one: bytes) -> None:
            headers = {**JSON, "sekisho-endorsement": encode_base64(endorsed(one, "maker") or b"")}
            answer = httpx.post(
                f"{address}/epcis/capture", content=one, headers=headers, timeout=30
            )
            answers.append(answer.status_code)

        threads = [threading.Thread(target=send, args=(one,)) for one in data]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert set(answers) <= {202, 429}
    kept = regime.control.register.store.load_standings([f"{chip(n)}-flood" for n in range(60)])
    assert len(kept) == answers.count(202)


@pytest.mark.parametrize(
    "name",
    [
        "x'; DROP TABLE queries; --",
        "../../../etc/passwd",
        "a/b",
        "",
        "x" * 65,
        "имя",
        "a\nb",
        "%2e%2e%2f",
        "_x",
    ],
)
def test_named_query_injection(client: TestClient[Litestar], name: str) -> None:
    """A name is letters, digits and three signs; nothing else gets as far as a table or a path."""
    body = {"name": name, "query": {"eventType": "ObjectEvent"}}
    assert client.post("/epcis/queries", json=body).status_code == 400
    assert client.get("/epcis/queries").json() == []


@pytest.mark.parametrize(
    "value",
    ["urn:x:' OR '1'='1", 'urn:x:"; DROP TABLE events; --', "urn:x:%", "urn:x:_", "urn:x:\x00"],
)
def test_query_value_injection(client: TestClient[Litestar], value: str) -> None:
    """A value is compared, never interpreted: it finds nothing, and the register stands."""
    client.post("/epcis/capture", content=document(commissioned(chip(1))), headers=JSON)
    for name in ("MATCH_epc", "EQ_bizLocation", "EQ_readPoint"):
        answer = client.get("/epcis/events", params={name: value})
        if answer.status_code == 200:
            found = answer.json()["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
            assert found == []
        else:
            assert answer.status_code == 400
    assert client.get("/epcis/events").json()["skh:register"] != []


def test_secret_of_a_subscription_is_told_once(client: TestClient[Litestar]) -> None:
    """No later answer, list or error shows it."""
    client.post("/epcis/queries", json={"name": "secret", "query": {}})
    made = client.post("/epcis/queries/secret/subscriptions", json={"dest": "https://a.example/"})
    secret, key = made.json()["secret"], made.json()["subscriptionID"]
    for path in ("", f"/{key}", f"/{key}/undelivered"):
        assert secret not in client.get(f"/epcis/queries/secret/subscriptions{path}").text
    client.delete(f"/epcis/queries/secret/subscriptions/{key}")
    client.delete("/epcis/queries/secret")


def test_host_of_another_name_is_not_answered(client: TestClient[Litestar]) -> None:
    """A page that made its own name mean this machine (DNS rebinding) captures and reads nothing here."""
    for method in ("GET", "POST"):
        answer = client.request(method, "/epcis/events", headers={"host": "evil.example"})
        assert answer.status_code == 421


def test_stranger_learns_nothing_from_a_refusal(client: TestClient[Litestar]) -> None:
    """An unforeseeable body is answered without a word about our insides."""
    data = document(commissioned(chip(1)))
    value = encode_base64(endorsed(data, signer("stranger")) or b"")
    answer = client.post(
        "/epcis/capture", content=data, headers={**JSON, "sekisho-endorsement": value}
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "bad-signature")
    assert "Traceback" not in answer.text


def test_hanging_up_in_the_middle_leaves_nothing_waiting(
    address: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The room is free again, and nothing is written into the server's log."""
    for _ in range(3):
        with connect(address) as gone:
            gone.sendall(
                b"POST /epcis/capture HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 16000000\r\n\r\n{"
            )
            time.sleep(0.1)
    time.sleep(0.3)
    assert is_alive(address)
    assert [record for record in caplog.records if record.name.startswith("sekisho")] == []


def test_files_of_the_register_are_its_owners_alone(regime: LiveRegime) -> None:
    """Secrets of deliveries and the tag key lie in files that nobody else may read."""
    home: Path = regime.control.home.path
    for name in ("subscriptions.sqlite", "keys/register-tag.key", "register.sqlite"):
        assert (home / name).stat().st_mode & 0o077 == 0, name


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example"},
        {"origin": "http://127.0.0.1:9"},
        {"origin": "null"},
    ],
    ids=str,
)
def test_another_sites_page_captures_and_subscribes_nothing(
    client: TestClient[Litestar], headers: dict[str, str]
) -> None:
    """A page cannot read the answer, but could send all events to an address of its own; its browser says who it is."""
    name = {"name": "all", "query": {"eventType": "ObjectEvent"}}
    for path, body in (
        ("/epcis/capture", document(commissioned(chip(77)))),
        ("/epcis/queries", json.dumps(name).encode()),
        ("/epcis/queries/all/subscriptions", b'{"dest":"https://evil.example/x"}'),
    ):
        answer = client.post(path, content=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "cross-site")
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert client.delete("/epcis/queries/all", headers=headers).status_code == 403
    assert client.get("/epcis/capture", headers=headers).status_code == 200


def test_silent_connections_do_not_take_the_room_of_others(address: str) -> None:
    """Each announces all that a document may have and sends nothing; a small honest document still comes in."""
    silent = b"POST /epcis/capture HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 16777216\r\n\r\n{"
    sockets = [connect(address) for _ in range(12)]
    try:
        for one in sockets:
            one.sendall(silent)
        time.sleep(0.3)
        data = document(commissioned(chip(78)))
        answer = httpx.post(f"{address}/epcis/capture", content=data, headers=JSON, timeout=10)
        assert answer.status_code == 202
    finally:
        for one in sockets:
            one.close()


def test_a_body_that_grows_beyond_the_room_pushes_back() -> None:
    """What has come counts, byte for byte, and is given back when it is over."""
    room = Room(100)
    with room.hold() as first, room.hold() as second:
        first.grow(60)
        second.grow(40)
        with pytest.raises(Overloaded):
            second.grow(1)
    with room.hold() as alone:
        alone.grow(1_000)
