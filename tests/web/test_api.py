"""The HTTP API, route by route: what is answered, and what each refusal says."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient
from msgspec.structs import replace

from sekisho.ledger import TlogProof, leaf_hash
from sekisho.licensing import ReceiptFork
from sekisho.model.errors import SekishoError
from sekisho.model.statements import FindingRaised, Reference, Spend
from sekisho.signing import parse_envelope, verify_disclosure
from sekisho.web.problems import STATUS
from tests.factory import AUTHORITY, HOST, ORIGIN, VERIFIER, signed, signer
from tests.regime import LiveRegime

Asking = TestClient[Litestar]
PROBLEM = "application/problem+json"


def _problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    """The problem that an answer holds, which must be of this status and code."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == PROBLEM
    body: dict[str, Any] = answer.json()
    assert body["code"] == code
    assert body["status"] == status
    assert body["detail"]
    return body


def _finding(regime: LiveRegime, detail: str) -> bytes:
    fact = FindingRaised(effective=regime.now, finding="test", host="host-1", detail=detail)
    return signed(fact, HOST).raw


def _spend(leaf: str, number: int, flop: int) -> Spend:
    return Spend(
        lease=Reference(log=ORIGIN, leaf=leaf),
        lease_number=number,
        reserved_flop=str(flop),
        bound_flop="0",
    )


# --- statements


def test_a_statement_enters_the_log_once(client: Asking, regime: LiveRegime) -> None:
    """Posting a signed statement gives its place, and posting it again gives the same place, not fresh."""
    raw = _finding(regime, "once")
    first = client.post("/api/v1/statements", content=raw).json()
    again = client.post("/api/v1/statements", content=raw).json()
    assert first["fresh"] is True
    assert first["leaf"] == leaf_hash(raw).hex()
    assert again == {**first, "fresh": False}


def test_a_statement_is_found_by_its_payload(client: Asking, regime: LiveRegime) -> None:
    """The envelope comes back byte for byte, with a proof that verifies under the policy."""
    raw = _finding(regime, "found")
    placed = client.post("/api/v1/statements", content=raw).json()
    regime.control.publisher.wait_witnessed(placed["index"], 10)
    found = client.get(f"/api/v1/statements/{placed['digest']}").json()
    assert base64.b64decode(found["envelope"]) == raw
    proof = TlogProof.from_text(found["proof"])
    assert proof.verify(raw, regime.control.policy).checkpoint.size > placed["index"]
    assert client.get(f"/api/v1/proofs/{placed['leaf']}").json()["proof"].startswith("c2sp.org/")


def test_bad_bodies_are_refused_as_bad_input(client: Asking) -> None:
    """What is no canonical envelope is 422 with the reason, never a server error."""
    for body in (
        b"",
        b"{",
        b"[]",
        b'{"payload":"e30=","payloadType":"x","signatures":[]}',
        b"\xff",
    ):
        _problem(client.post("/api/v1/statements", content=body), 422, "invalid-input")


def test_an_oversized_body_is_refused(client: Asking) -> None:
    """A body above 64 KiB is 413 on every route that takes one."""
    for route in ("statements", "leases", "receipts"):
        answer = client.post(f"/api/v1/{route}", content=b"x" * (64 * 1024 + 1))
        _problem(answer, 413, "request-entity-too-large")


def test_too_few_signatures_are_refused_as_not_authorised(
    client: Asking, regime: LiveRegime
) -> None:
    """An order under two of the three authority keys that it needs is 403 and changes nothing."""
    size = regime.control.desk.state.size
    raw = signed(regime.order(), *AUTHORITY[:2], VERIFIER[0]).raw
    problem = _problem(client.post("/api/v1/statements", content=raw), 403, "not-authorised")
    assert "authority 2 of 3" in problem["detail"]
    assert regime.control.desk.state.size == size


def test_a_signature_by_the_wrong_key_is_refused(client: Asking, regime: LiveRegime) -> None:
    """A host's finding under a party's key is 403 with the code of a bad signature."""
    fact = FindingRaised(effective=regime.now, finding="test", host="host-1", detail="forged")
    raw = signed(fact, AUTHORITY[0]).raw
    _problem(client.post("/api/v1/statements", content=raw), 403, "bad-signature")


def test_a_gap_in_the_register_is_a_conflict(client: Asking, regime: LiveRegime) -> None:
    """An order that skips a number is 409 with the code of a register's gap."""
    order = regime.order("hold")
    skipped = replace(order, number=7)
    raw = signed(skipped, *AUTHORITY[:3]).raw
    _problem(client.post("/api/v1/statements", content=raw), 409, "register-gap")


# --- leases and receipts


def test_a_lease_is_granted_proven_and_given_again(client: Asking, regime: LiveRegime) -> None:
    """A signed request gets a witnessed lease; the same request again gets the same lease."""
    raw = regime.lease_request().raw
    first = client.post("/api/v1/leases", content=raw)
    again = client.post("/api/v1/leases", content=raw)
    assert first.status_code == 200, first.text
    envelope = base64.b64decode(first.json()["envelope"])
    TlogProof.from_text(first.json()["proof"]).verify(envelope, regime.control.policy)
    granted = regime.control.desk.state.verify(envelope).verified.predicate
    disclosure = verify_disclosure(first.json()["disclosures"][0], granted.concealed)  # type: ignore[attr-defined]  # a lease
    assert disclosure.name == "allowance_flop"
    assert again.json()["envelope"] == first.json()["envelope"]


def test_a_lease_out_of_turn_is_refused_with_its_reasons(
    client: Asking, regime: LiveRegime
) -> None:
    """Asking for a lease of another number than the next is 409 and says so."""
    request = regime.lease_request("host-2").raw
    assert client.post("/api/v1/leases", content=request).status_code == 200
    late = regime.lease_request("host-2")
    fact = regime.control.desk.state.regime.verify(late.raw).predicate
    wrong = replace(fact, number=99)
    raw = signed(wrong, signer("host-2")).raw
    _problem(client.post("/api/v1/leases", content=raw), 409, "lease-refused")


def test_receipts_make_a_chain_and_are_acknowledged(client: Asking, regime: LiveRegime) -> None:
    """A receipt is acknowledged under the operator's key, and again when it is sent again."""
    granted, _ = regime.control.grant_lease(regime.lease_request().raw)
    number = regime.control.desk.state.licences.lease_numbers["host-1"]
    receipt = regime.receipt("quantum", spend=_spend(granted.admitted.leaf, number, 4 * 10**9))
    first = client.post("/api/v1/receipts", content=receipt.raw)
    assert first.status_code == 200, first.text
    acknowledged = regime.control.desk.state.regime.verify(
        base64.b64decode(first.json()["acknowledgement"])
    )
    assert acknowledged.kind == "receipt-acknowledged"
    assert client.post("/api/v1/receipts", content=receipt.raw).json() == first.json()


def test_a_broken_chain_is_a_conflict(client: Asking, regime: LiveRegime) -> None:
    """A receipt that does not follow the last one is 409 with the code of a broken chain."""
    fact = regime.control.desk.state.regime.verify(regime.receipt("quantum").raw).predicate
    far = replace(fact, sequence=90)
    answer = client.post("/api/v1/receipts", content=signed(far, HOST).raw)
    _problem(answer, 409, "broken-receipt-chain")


def test_a_statement_at_the_wrong_door_is_a_conflict(client: Asking, regime: LiveRegime) -> None:
    """A finding posted as a receipt or as a lease request is refused as such."""
    raw = _finding(regime, "wrong door")
    assert client.post("/api/v1/receipts", content=raw).status_code in (403, 409, 422)
    assert client.post("/api/v1/leases", content=raw).status_code in (403, 409, 422)


# --- the feed


def test_the_feed_starts_with_everything_a_host_needs(client: Asking, regime: LiveRegime) -> None:
    """From 0 a host gets charter, its own enrolment and its licence, each with a proof, in log order."""
    page = client.get("/api/v1/hosts/host-1/feed").json()
    envelopes = [base64.b64decode(item["envelope"]) for item in page["items"]]
    kinds = [regime.control.desk.state.regime.verify(raw).kind for raw in envelopes[1:4]]
    assert regime.control.desk.find(_digest(envelopes[0])) is not None
    assert "host-enrolled" in kinds
    for raw, item in zip(envelopes, page["items"], strict=True):
        TlogProof.from_text(item["proof"]).verify(raw, regime.control.policy)
    assert page["checkpoint"].startswith(ORIGIN)


def test_a_long_poll_ends_empty_at_its_time(client: Asking) -> None:
    """With nothing new the poll waits as long as it was told and answers with no items."""
    cursor = client.get("/api/v1/hosts/host-1/feed").json()["next"]
    for _ in range(4):  # the registers' heartbeat may come in between, and is news
        began = time.monotonic()
        answer = client.get(f"/api/v1/hosts/host-1/feed?after={cursor}&wait_s=1").json()
        cursor = answer["next"]
        if not answer["items"]:
            break
    assert answer["items"] == []
    assert time.monotonic() - began >= 0.9


def test_a_long_poll_returns_within_a_second_of_an_order(
    client: Asking, regime: LiveRegime
) -> None:
    """A pause reaches a waiting host at once, on sight, long before the poll's own time."""
    cursor = client.get("/api/v1/hosts/host-1/feed").json()["next"]
    got: list[tuple[float, dict[str, Any]]] = []

    def poll() -> None:
        answer = client.get(f"/api/v1/hosts/host-1/feed?after={cursor}&wait_s=20").json()
        got.append((time.monotonic(), answer))

    waiting = threading.Thread(target=poll)
    waiting.start()
    time.sleep(0.3)
    raw = signed(regime.order(), *AUTHORITY[:3], VERIFIER[0]).raw
    issued = time.monotonic()
    regime.control.submit(raw)
    waiting.join(5)
    assert got, "the poll did not return"
    assert got[0][0] - issued < 1
    assert raw in [base64.b64decode(item["envelope"]) for item in got[0][1]["items"]]
    found = regime.control.desk.find(_digest(raw))
    assert found is not None
    regime.lift(_reference(regime, _digest(raw)))


def test_many_waiting_hosts_hold_no_threads(client: Asking, regime: LiveRegime) -> None:
    """Sixty polls wait at once without sixty threads of the server."""
    cursor = client.get("/api/v1/hosts/host-1/feed").json()["next"]
    before = {t.ident for t in threading.enumerate()}
    polls = [
        threading.Thread(
            target=client.get, args=(f"/api/v1/hosts/host-1/feed?after={cursor}&wait_s=2",)
        )
        for _ in range(60)
    ]
    for poll in polls:
        poll.start()
    time.sleep(1)
    mine = {poll.ident for poll in polls}
    others = [t for t in threading.enumerate() if t.ident not in before | mine]
    for poll in polls:
        poll.join(10)
    assert len([t for t in others if "AnyIO worker" in t.name]) <= 40
    assert client.get("/api/v1/state").status_code == 200


def test_the_feeds_parameters_are_bounded(client: Asking) -> None:
    """A wait above a minute, a negative cursor and a strange name are 422 and name the parameter."""
    for url, path in (
        ("/api/v1/hosts/host-1/feed?wait_s=61", "wait_s"),
        ("/api/v1/hosts/host-1/feed?after=-1", "after"),
        ("/api/v1/hosts/host-1/feed?after=x", "after"),
        ("/api/v1/hosts/%7E/feed", "host"),
    ):
        assert _problem(client.get(url), 422, "invalid-input")["path"] == path


# --- orders, halts, proofs


def test_an_order_is_fetched_by_its_register_and_number(client: Asking, regime: LiveRegime) -> None:
    """An outstanding order is found under its register's name with ~ for the slash."""
    reference = regime.issue(regime.order())
    answer = client.get(f"/api/v1/orders/pause~JP/{reference.number}").json()
    assert _digest(base64.b64decode(answer["envelope"])) == reference.digest
    assert answer["proof"] is not None
    regime.lift(reference)


def test_what_is_not_there_is_not_found(client: Asking) -> None:
    """An unknown order, leaf, statement and route are 404, each a problem of its own."""
    nothing = "0" * 64
    for url in (
        "/api/v1/orders/pause~JP/4000",
        "/api/v1/orders/nowhere/1",
        f"/api/v1/proofs/{nothing}",
        f"/api/v1/statements/{nothing}",
        "/api/v1/nowhere",
    ):
        _problem(client.get(url), 404, "not-found")


def test_a_malformed_digest_is_bad_input(client: Asking) -> None:
    """A digest that is not 64 hexadecimal digits is 422."""
    _problem(client.get("/api/v1/proofs/zz"), 422, "invalid-input")
    _problem(client.get("/api/v1/statements/ZZ"), 422, "invalid-input")


def test_a_payload_digest_is_no_leaf(client: Asking, regime: LiveRegime) -> None:
    """A proof is asked for by leaf; the payload's digest is another name and is not found there."""
    placed = client.post("/api/v1/statements", content=_finding(regime, "leaf")).json()
    _problem(client.get(f"/api/v1/proofs/{placed['digest']}"), 404, "not-found")


def test_a_method_that_a_route_has_not_is_refused(client: Asking) -> None:
    """Deleting a statement is 405 and a problem."""
    answer = client.delete("/api/v1/statements")
    assert answer.status_code == 405
    assert answer.headers["content-type"] == PROBLEM


def test_a_halt_waits_for_its_observation_and_no_longer(client: Asking, regime: LiveRegime) -> None:
    """A halted receipt under a witnessed checkpoint is listed until an observer has looked."""
    order = regime.issue(regime.order())
    regime.take("received", order=order)
    receipt = regime.take("halted", order=order, state="frozen")
    recorded = regime.control.desk.find(receipt)
    assert recorded is not None
    regime.control.publisher.wait_witnessed(recorded.index, 10)
    mine = [h for h in client.get("/api/v1/halts?state=open").json() if h["receipt"] == receipt]
    assert [(h["host"], h["receipt_index"]) for h in mine] == [("host-1", recorded.index)]
    assert mine[0]["order"]["digest"] == order.digest
    assert mine[0]["after"]["size"] > recorded.index
    regime.observe(order, "host-1", receipt)
    assert all(h["receipt"] != receipt for h in client.get("/api/v1/halts").json())
    regime.take("resumed", order=order)
    regime.lift(order)


def test_halts_of_another_state_are_bad_input(client: Asking) -> None:
    """There is one list of halts, the open ones; another state is 422."""
    _problem(client.get("/api/v1/halts?state=closed"), 422, "invalid-input")


# --- state, log files, the guard


def test_the_state_tells_of_hosts_licences_and_log(client: Asking, regime: LiveRegime) -> None:
    """The overview's JSON has both hosts, the licence's books that add up, and who owns the witnesses."""
    state = client.get("/api/v1/state").json()
    assert [host["host"] for host in state["hosts"]] == ["host-1", "host-2"]
    books = state["licences"][0]["books"]
    parts = ("available_flop", "leased_flop", "consumed_flop", "forfeited_flop")
    assert sum(int(books[part]) for part in parts) == int(books["budget_flop"])
    assert state["log"]["single_owner"] == "Operator"
    assert state["log"]["size"] == regime.control.desk.state.size


def test_a_host_whose_receipts_stopped_is_unknown(
    client: Asking, regime: LiveRegime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A live lease without receipts is silent, which is unknown, never running and never idle."""

    def standing() -> str:
        hosts = client.get("/api/v1/state").json()["hosts"]
        return str(next(host["standing"] for host in hosts if host["host"] == "host-2"))

    if regime.control.desk.state.licences.lease_numbers.get("host-2", 0) == 0:
        regime.control.grant_lease(regime.lease_request("host-2").raw)
    assert standing() == "idle"
    later = regime.now.plus(40)
    monkeypatch.setattr(regime.control.clock, "now", lambda: later)
    assert standing() == "silent"


def test_the_public_log_is_served_as_files(client: Asking, regime: LiveRegime) -> None:
    """Checkpoint and tiles have their types; tiles may be kept for ever, the checkpoint not."""
    checkpoint = client.get("/log/checkpoint")
    assert checkpoint.headers["content-type"].startswith("text/plain")
    assert checkpoint.headers["cache-control"] == "no-cache"
    cosigned = regime.control.publisher.latest
    assert cosigned is not None
    size = cosigned.checkpoint.size
    for level in ("0", "entries"):
        tile = client.get(f"/log/tile/{level}/000.p/{size}")
        assert tile.status_code == 200, tile.text
        assert tile.headers["content-type"] == "application/octet-stream"
        assert "immutable" in tile.headers["cache-control"]


@pytest.mark.parametrize(
    "path",
    [
        "/log/../keys/log.pem",
        "/log/%2e%2e/keys/log.pem",
        "/log/..%2f..%2fkeys/log.pem",
        "/log/tile/../../../keys/log.pem",
        "/log/tile/0/%2e%2e/checkpoint",
        "/log/tile/0/x000/000",
        "/log/.writable",
        "/static/../server.py",
        "/static/%2e%2e/server.py",
        "/static/console.css/..",
    ],
)
def test_no_path_leads_out_of_the_public_folder(client: Asking, path: str) -> None:
    """Every spelling that is not exactly a file of the log is refused, and no key ever comes out."""
    answer = client.get(path)
    assert answer.status_code == 404
    assert b"PRIVATE" not in answer.content


@pytest.mark.parametrize("path", ["/", "/api/v1/state", "/log/checkpoint", "/nowhere", "/api/v1/x"])
def test_every_answer_has_its_security_headers(client: Asking, path: str) -> None:
    """Pages, JSON, files and errors alike forbid foreign content, framing and guessing of types."""
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8480", 200),
        ("localhost", 200),
        ("[::1]:1", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("localhost@evil.example", 421),
        ("", 421),
    ],
)
def test_only_loopback_names_are_answered(client: Asking, host: str, status: int) -> None:
    """A name that a stranger's DNS pointed at this machine is refused: no DNS rebinding."""
    assert client.get("/api/v1/state", headers={"host": host}).status_code == status


def test_an_unforeseen_error_tells_nothing_of_our_insides(
    client: Asking, regime: LiveRegime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A defect is 500 with a problem that names no exception, no path and no line."""

    def fail(_: bytes) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(regime.control, "submit", fail)
    problem = _problem(client.post("/api/v1/statements", content=b"{}"), 500, "internal")
    assert "secret" not in str(problem)
    assert "ZeroDivision" not in str(problem)


@pytest.mark.parametrize("kind", SekishoError.__subclasses__())
def test_every_kind_of_error_has_a_status(kind: type[SekishoError]) -> None:
    """No kind of error of the house falls through to the last row by being forgotten."""
    assert any(parent in STATUS for parent in kind.__mro__[:-4])


def test_a_fork_keeps_its_own_code(
    client: Asking, regime: LiveRegime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two receipts of one number are 409 under the code receipt-fork, which agents script against."""

    def fork(_: bytes, tell: Callable[[bytes | SekishoError], None]) -> None:
        tell(ReceiptFork("host host-1 gave two receipts number 3"))

    monkeypatch.setattr(regime.control.leases, "enqueue_receipt", fork)
    _problem(client.post("/api/v1/receipts", content=b"{}"), 409, "receipt-fork")


def _digest(raw: bytes) -> str:
    return parse_envelope(raw).digest


def _reference(regime: LiveRegime, digest: str) -> Any:
    return next(
        known.reference
        for known in regime.control.desk.state.orders.in_force(regime.now)
        if known.digest == digest
    )
