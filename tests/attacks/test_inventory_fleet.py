"""Whoever speaks for a node that is not its own, with a token that is not its own, or with yesterday's words."""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sekisho.adapters.storage.fleet_sqlite import FleetSqlite
from sekisho.adapters.storage.inventories_file import InventoriesFile
from sekisho.ledger.line import Overloaded
from sekisho.model.errors import InvalidInput, SekishoError
from sekisho.model.instants import Instant
from sekisho.operations.register.fleet import (
    ASSERTION_S,
    WRONG_TRIES,
    Fleet,
    ForeignNode,
    ReplayedInventory,
    TokenPlan,
    TokenRefused,
    UnknownToken,
    make_token,
)
from sekisho.signing import Ed25519Signer
from sekisho.signing.assertion import (
    Assertion,
    AssertionExpired,
    ForgedAssertion,
    verify_assertion,
    write_assertion,
)
from tests.desks import MovingClock
from tests.inventoried import encoded

_DRAWN = itertools.count(1)


class Server:
    """A fleet over a store of its own, with a clock that the test moves."""

    def __init__(self, folder: Path, origin: str = "log.example/test") -> None:
        folder.mkdir(exist_ok=True)
        self.file = InventoriesFile(folder / "inventories.sqlite")
        self.store = FleetSqlite(self.file)
        self.clock = MovingClock()
        self.signer = Ed25519Signer(Ed25519PrivateKey.generate())
        self.fleet = Fleet(
            self.store,
            signer=self.signer,
            origin=origin,
            clock=self.clock,
            draw=lambda size: next(_DRAWN).to_bytes(size, "big"),
        )

    def token(self, site: str = "osaka-1", **more: int) -> str:
        secret = next(_DRAWN).to_bytes(32, "big")
        plan = TokenPlan(site=site, **more)
        return make_token(self.store, plan, now=self.clock.now(), secret=secret)[0]

    def body(self, *numbers: int, ago_s: float = 86_400, **fields: Any) -> bytes:
        """An inventory of a node that started so long ago."""
        return encoded(numbers or (1,), booted=str(self.clock.now().plus(-ago_s)), **fields)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path / "one")
    yield made
    made.file.close()


def _forge(claims: dict[str, Any], header: dict[str, Any], signature: bytes = b"") -> str:
    def part(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    def text(value: dict[str, Any]) -> bytes:
        return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()

    return f"{part(text(header))}.{part(text(claims))}.{part(signature)}"


def _claims(assertion: str) -> dict[str, Any]:
    part = assertion.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return claims


def test_a_forged_assertion_is_refused(server: Server) -> None:
    """Signed by another key, by none, under another algorithm, or with its claims changed."""
    real = server.fleet.enroll(server.token())
    claims = _claims(real)
    stranger = Ed25519Signer(Ed25519PrivateKey.generate())
    head, body, signature = real.split(".")
    forged = [
        write_assertion(Assertion(**claims), stranger),
        _forge(claims, {"alg": "none", "typ": "JWT"}),
        _forge(claims, {"alg": "HS256", "typ": "JWT"}, b"x" * 32),
        _forge({**claims, "exp": claims["exp"] + 1}, {"alg": "EdDSA", "typ": "JWT"}, b"x" * 64),
        f"{head}.{body}.",
        f"{head}.{_forge({**claims, 'sub': '00'}, {}).split('.')[1]}.{signature}",
    ]
    for text in forged:
        with pytest.raises(ForgedAssertion):
            server.fleet.take_inventory(text, "n1", server.body())
    assert server.store.find_newest("n1") is None


@pytest.mark.parametrize("text", ["", "a.b", "a.b.c.d", "é.b.c", "a" * 5_000, "a.b.c=", "+.+.+"])
def test_what_is_no_assertion_is_bad_input(server: Server, text: str) -> None:
    """Nothing that is not in its one form is looked at further."""
    with pytest.raises(InvalidInput):
        verify_assertion(text, server.signer.public, issuer="x", now=server.clock.now())


def test_an_assertion_of_another_regime_is_refused(server: Server) -> None:
    """The same key, another log: an operator who runs two must not mix their fleets."""
    claims = _claims(server.fleet.enroll(server.token()))
    other = write_assertion(Assertion(**{**claims, "iss": "other.example/log"}), server.signer)
    with pytest.raises(ForgedAssertion, match="another regime"):
        server.fleet.take_inventory(other, "n1", server.body())


def test_an_assertion_for_another_purpose_is_refused(server: Server) -> None:
    """The same key and log, another audience."""
    claims = _claims(server.fleet.enroll(server.token()))
    other = write_assertion(Assertion(**{**claims, "aud": "console"}), server.signer)
    with pytest.raises(UnknownToken):
        server.fleet.take_inventory(other, "n1", server.body())


def test_an_expired_assertion_is_refused_and_a_nonce_renews_it(server: Server) -> None:
    """It lasts a month; with each nonce a new one comes."""
    assertion = server.fleet.enroll(server.token(lasts_s=364 * 86_400))
    server.fleet.take_inventory(assertion, "n1", server.body())
    server.clock.move(ASSERTION_S - 10)
    renewed = server.fleet.give_nonce(assertion, "n1").assertion
    server.clock.move(20)
    with pytest.raises(AssertionExpired):
        server.fleet.take_inventory(assertion, "n1", server.body())
    assert server.fleet.take_inventory(renewed, "n1", server.body()).node == "n1"


def test_an_assertion_from_the_future_is_refused(server: Server) -> None:
    """A clock that was set back must not lengthen a life."""
    assertion = server.fleet.enroll(server.token())
    server.clock.move(-3_600)
    with pytest.raises(AssertionExpired):
        server.fleet.take_inventory(assertion, "n1", server.body())


def test_an_expired_enrolment_token_is_refused(server: Server) -> None:
    """Its time is over; the enrolments that it began go on."""
    token = server.token(lasts_s=60)
    assertion = server.fleet.enroll(token)
    server.clock.move(60)
    with pytest.raises(TokenRefused, match="over"):
        server.fleet.enroll(token)
    assert server.fleet.take_inventory(assertion, "n1", server.body()).site == "osaka-1"


def test_a_token_of_another_server_is_unknown(server: Server, tmp_path: Path) -> None:
    """What another home made means nothing here."""
    other = Server(tmp_path / "two")
    with pytest.raises(UnknownToken):
        server.fleet.enroll(other.token())
    other.file.close()


def test_a_token_of_another_site_puts_nobody_here(server: Server) -> None:
    """The site is the token's, whatever zone and group the message claims."""
    assertion = server.fleet.enroll(server.token("tokyo-1"))
    body = server.body(computeZone="osaka-1", nodeGroup="osaka-1")
    assert server.fleet.take_inventory(assertion, "n1", body).site == "tokyo-1"


def test_a_token_of_another_site_does_not_take_a_node_over(server: Server) -> None:
    """The node stands at its site and stays there."""
    server.fleet.take_inventory(server.fleet.enroll(server.token()), "n1", server.body())
    with pytest.raises(ForeignNode):
        server.fleet.take_inventory(
            server.fleet.enroll(server.token("tokyo-1")), "n1", server.body()
        )


def test_a_node_reports_another_nodes_uuid_in_vain(server: Server) -> None:
    """Both enrolled by one token: each speaks for itself alone, in every message."""
    token = server.token()
    one, two = server.fleet.enroll(token), server.fleet.enroll(token)
    server.fleet.take_inventory(one, "n1", server.body(1))
    server.fleet.take_inventory(two, "n2", server.body(2))
    nothing = b'{"attestationData":{"sdkResponse":{"evidences":[]}}}'
    with pytest.raises(ForeignNode):
        server.fleet.take_inventory(two, "n1", server.body(2))
    with pytest.raises(ForeignNode):
        server.fleet.give_nonce(two, "n1")
    with pytest.raises(ForeignNode):
        server.fleet.take_evidence(two, "n1", nothing)
    newest = server.store.find_newest("n1")
    assert newest is not None
    assert newest.sha256 != server.store.find_newest("n2").sha256  # type: ignore[union-attr]  # it has just reported
    assert server.store.load_evidence("n1") == ()


def test_one_enrolment_does_not_speak_for_two_nodes(server: Server) -> None:
    """A copied assertion is of no use on a second host under its own name."""
    assertion = server.fleet.enroll(server.token())
    server.fleet.take_inventory(assertion, "n1", server.body())
    with pytest.raises(ForeignNode):
        server.fleet.take_inventory(assertion, "n2", server.body())


def test_a_replayed_old_inventory_is_refused(server: Server) -> None:
    """A message from before the node's last start, with the boards that have gone since."""
    assertion = server.fleet.enroll(server.token())
    old = server.body(1, 2, ago_s=9 * 86_400)
    server.fleet.take_inventory(assertion, "n1", old)
    server.fleet.take_inventory(assertion, "n1", server.body(1, ago_s=60))
    with pytest.raises(ReplayedInventory, match="from before"):
        server.fleet.take_inventory(assertion, "n1", old)
    with pytest.raises(ReplayedInventory):
        server.fleet.take_inventory(assertion, "n1", encoded((1, 2), booted=""))
    newest = server.store.find_newest("n1")
    assert newest is not None
    assert newest.booted == server.clock.now().plus(-60)


def test_a_start_in_the_future_is_refused(server: Server) -> None:
    """Else one message would make every later one look replayed."""
    assertion = server.fleet.enroll(server.token())
    with pytest.raises(InvalidInput, match="future"):
        server.fleet.take_inventory(assertion, "n1", server.body(ago_s=-3_600))


def test_clocks_that_drift_are_no_replay(server: Server) -> None:
    """A node computes its start from its uptime: seconds of difference are its clock's."""
    assertion = server.fleet.enroll(server.token())
    server.fleet.take_inventory(assertion, "n1", server.body(ago_s=1_000))
    assert server.fleet.take_inventory(assertion, "n1", server.body(ago_s=1_100)).is_new


def test_guessing_tokens_is_slowed_down(server: Server) -> None:
    """After thirty wrong ones in a minute all wait; a minute later the right one is taken."""
    token = server.token()
    for number in range(WRONG_TRIES):
        with pytest.raises(UnknownToken):
            server.fleet.enroll(f"skf_{number:064x}")
    with pytest.raises(Overloaded):
        server.fleet.enroll(token)
    server.clock.move(61)
    assert server.fleet.enroll(token)


def test_a_node_that_invents_serials_pushes_out_only_its_own(server: Server) -> None:
    """Another node's memory stays whole."""
    token = server.token()
    honest, liar = server.fleet.enroll(token), server.fleet.enroll(token)
    server.fleet.take_inventory(honest, "n1", server.body(1, 2))
    for round_ in range(12):
        server.clock.move(1)
        numbers = range(1_000 + 200 * round_, 1_200 + 200 * round_)
        server.fleet.take_inventory(liar, "n2", server.body(*numbers))
    kept = [row.node for row in server.store.iterate_sightings()]
    assert kept.count("n1") == 2
    assert kept.count("n2") < 2_048 + 256


@pytest.mark.parametrize("node", ["", "../x", "n 1", "n\n", "x" * 129, "é"])
def test_a_node_has_a_plain_name(server: Server, node: str) -> None:
    """Names become keys, lines of reports and paths of addresses."""
    assertion = server.fleet.enroll(server.token())
    with pytest.raises(SekishoError):
        server.fleet.take_inventory(assertion, node, server.body())


def test_two_enrolments_race_for_one_node(server: Server) -> None:
    """Whoever is first speaks for it; a released one speaks for nothing any more."""
    token = server.token()
    one, two = server.fleet.enroll(token), server.fleet.enroll(token)
    server.fleet.take_inventory(one, "n1", server.body())
    with pytest.raises(ForeignNode):
        server.fleet.take_inventory(two, "n1", server.body())
    assert server.store.release_node("n1")
    server.fleet.take_inventory(two, "n1", server.body())
    with pytest.raises(TokenRefused):
        server.fleet.take_inventory(one, "n1", server.body())
    assert isinstance(server.clock.now(), Instant)
