"""Hosts with a fleet agent: enrolled by a token, bound to one node each, heard as evidence and never believed as fact.

1. An operator makes a token for one site; it is shown once and kept as its digest. 2. An agent shows it and gets an
assertion. 3. Its first inventory binds the assertion to that node; from then on nobody else speaks for the node, and
the assertion for no other. 4. Inventories are kept as they came. One that was taken before the node's last start is
refused: somebody replays it. 5. Attestation evidence is kept and judged *unverifiable*, until somebody checks it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import threading
from collections import deque
from collections.abc import Callable
from typing import Final, Literal

import msgspec

from sekisho.ledger.line import Overloaded
from sekisho.model.errors import (
    InvalidInput,
    NotAuthorised,
    StateConflict,
    VerificationError,
)
from sekisho.model.instants import Instant
from sekisho.model.statements.shapes import Name
from sekisho.model.wire import JsonValue, from_json, parse_json, sha256_hex
from sekisho.ports.clock import Clock
from sekisho.ports.fleet_store import (
    EvidenceRow,
    FleetStore,
    FleetToken,
    LineageRow,
    MessageRow,
    NodeRow,
    SightingRow,
)
from sekisho.registry.reading.declared import serial_key
from sekisho.registry.reading.fleet_agent import NodeInventory, parse_node
from sekisho.signing.assertion import Assertion, verify_assertion, write_assertion
from sekisho.signing.keys import Signer

__all__ = [
    "Fleet",
    "FleetAnswer",
    "ForeignNode",
    "NonceAnswer",
    "ReplayedInventory",
    "TokenPlan",
    "TokenRefused",
    "UnknownToken",
    "make_token",
]

ASSERTION_S: Final = 30 * 86_400
RENEWED_AFTER_S: Final = ASSERTION_S // 2
NONCE_S: Final = 3_600
MAX_EVIDENCE: Final = 4 << 20
MAX_NODES: Final = 100_000
WRONG_TRIES: Final = 30
WRONG_WITHIN_S: Final = 60
_SLACK_S: Final = 300
_TOKEN = re.compile(r"skf_[0-9a-f]{64}")
_NODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}", re.ASCII)
_AUDIENCE: Final = "fleet"


class UnknownToken(VerificationError):
    """An enrolment token or enrolment that nobody here gave."""

    code = "unknown-token"


class TokenRefused(NotAuthorised):
    """An enrolment token that was given here and is over, used up or revoked; an enrolment that was released."""

    code = "token-refused"


class ForeignNode(NotAuthorised):
    """A node for which another enrolment speaks, or an enrolment that speaks for another node."""

    code = "foreign-node"


class ReplayedInventory(StateConflict):
    """An inventory from before the node's last start, or from before its newest message."""

    code = "replayed-inventory"


class TokenPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What a token is to be good for."""

    site: str
    lasts_s: int = 7 * 86_400
    nodes: int = 1_000


class FleetAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What an inventory came to. `is_new` is False where the newest message of the node says the same."""

    node: str
    site: str
    inventory: NodeInventory
    is_new: bool


class NonceAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A fresh nonce, a fresh assertion, and when the next nonce should be asked for."""

    nonce: str
    assertion: str
    refresh: Instant


def make_token(
    store: FleetStore, plan: TokenPlan, *, now: Instant, secret: bytes
) -> tuple[str, FleetToken]:
    """Keep a token's digest and give its text, which nobody can read again. Raises InvalidInput."""
    if len(secret) != 32:
        raise InvalidInput("a token has 32 random bytes")
    from_json(Name, plan.site, path="site")
    if not 60 <= plan.lasts_s <= 365 * 86_400:
        raise InvalidInput("a token lasts from one minute to one year", path="lasts")
    if not 1 <= plan.nodes <= MAX_NODES:
        raise InvalidInput(f"a token is for 1 to {MAX_NODES} enrolments", path="nodes")
    text = f"skf_{secret.hex()}"
    token = FleetToken(
        digest=_digest(text),
        site=plan.site,
        made=now,
        expires=now.plus(plan.lasts_s),
        most=plan.nodes,
    )
    store.save_token(token)
    return text, token


class _WrongTries:
    """Wrong tokens of the last minute: guessing 256 bits is hopeless, but each guess costs a look into the database."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wrong: deque[float] = deque(maxlen=WRONG_TRIES)

    def check(self, now_s: float) -> None:
        """Raises Overloaded where too many were wrong."""
        with self._lock:
            is_full = len(self._wrong) == WRONG_TRIES
            if is_full and now_s - self._wrong[0] < WRONG_WITHIN_S:
                raise Overloaded("too many wrong enrolment tokens", retry_after_s=WRONG_WITHIN_S)

    def note(self, now_s: float) -> None:
        with self._lock:
            self._wrong.append(now_s)


class Fleet:
    """The server's side of fleet agents. `draw` gives so many random bytes."""

    def __init__(
        self,
        store: FleetStore,
        *,
        signer: Signer,
        origin: str,
        clock: Clock,
        draw: Callable[[int], bytes],
    ) -> None:
        self.store = store
        self._signer = signer
        self._origin = origin
        self._clock = clock
        self._draw = draw
        self._tries = _WrongTries()

    def enroll(self, text: str) -> str:
        """An assertion for a token. Raises InvalidInput (no token), UnknownToken, TokenRefused, Overloaded."""
        self._tries.check(self._clock.elapsed_s())
        if _TOKEN.fullmatch(text) is None:
            raise InvalidInput("is no enrolment token", path="token", remedy="copy it whole")
        now, digest = self._clock.now(), _digest(text)
        token = self.store.find_token(digest)
        if token is None or not hmac.compare_digest(token.digest, digest):
            self._tries.note(self._clock.elapsed_s())
            raise UnknownToken("no such enrolment token was made here")
        if token.revoked or token.expires <= now:
            raise TokenRefused("the enrolment token is over", remedy="ask for a new one")
        lineage = LineageRow(lineage=self._draw(16).hex(), token=digest, site=token.site, made=now)
        if not self.store.begin_lineage(lineage):
            raise TokenRefused("the enrolment token is used up", remedy="ask for a new one")
        return self._assert(lineage.lineage, now)

    def identify(self, assertion: str) -> tuple[str, str]:
        """The site of whoever shows an assertion, and the next assertion where this one has had its first half ("").

        Raises AssertionExpired, ForgedAssertion, UnknownToken, TokenRefused; InvalidInput for what is no assertion.
        """
        now = self._clock.now()
        shown = verify_assertion(assertion, self._signer.public, issuer=self._origin, now=now)
        lineage = self._lineage_of(shown)
        is_old = now.seconds - shown.iat >= RENEWED_AFTER_S
        return lineage.site, self._assert(lineage.lineage, now) if is_old else ""

    def take_inventory(self, assertion: str, node: str, body: bytes) -> FleetAnswer:
        """Keep a node's inventory message.

        1. Who speaks. 2. The message reads. 3. It speaks for its own node. 4. It is no older than what the node said
        before. 5. It is kept, with what it says of serials and UUIDs. Raises what each step raises: AssertionExpired,
        ForgedAssertion, UnknownToken, TokenRefused; InvalidInput; ForeignNode; ReplayedInventory.
        """
        now = self._clock.now()
        lineage = self._speaker(assertion, now)
        _check_name(node)
        inventory = parse_node(body, path="")
        bound = self._bind(lineage, node, now)
        newest = self.store.find_newest(node)
        _check_fresh(inventory, newest, now)
        digest = sha256_hex(body)
        self.store.save_message(
            MessageRow(
                node=node,
                site=bound.site,
                sha256=digest,
                first=now,
                last=now,
                booted=inventory.booted,
                body=body,
            ),
            _sightings(inventory, bound, now),
        )
        return FleetAnswer(
            node=node,
            site=bound.site,
            inventory=inventory,
            is_new=newest is None or newest.sha256 != digest,
        )

    def give_nonce(self, assertion: str, node: str) -> NonceAnswer:
        """A nonce for attestation, and an assertion that lasts anew. Raises as `take_inventory`."""
        now = self._clock.now()
        lineage = self._speaker(assertion, now)
        _check_name(node)
        self._bind(lineage, node, now)
        nonce = self._draw(32).hex()
        self.store.save_nonce(node, nonce, now)
        return NonceAnswer(
            nonce=nonce, assertion=self._assert(lineage.lineage, now), refresh=now.plus(NONCE_S)
        )

    def take_evidence(self, assertion: str, node: str, body: bytes) -> Literal["unverifiable"]:
        """Keep attestation evidence as it came. Nobody checks it here, so the verdict is unverifiable."""
        now = self._clock.now()
        lineage = self._speaker(assertion, now)
        _check_name(node)
        nonces = _nonces_of(parse_json(body, limit=MAX_EVIDENCE, largest=2**63))
        self._bind(lineage, node, now)
        answered = self.store.take_nonces(node, nonces, now.plus(-NONCE_S)) if nonces else ()
        self.store.save_evidence(
            EvidenceRow(
                node=node,
                received=now,
                sha256=sha256_hex(body),
                nonce=next(iter(answered), ""),
                body=body,
            )
        )
        return "unverifiable"

    def _assert(self, lineage: str, now: Instant) -> str:
        issued = int(now.seconds)
        return write_assertion(
            Assertion(
                iss=self._origin, sub=lineage, aud=_AUDIENCE, iat=issued, exp=issued + ASSERTION_S
            ),
            self._signer,
        )

    def _speaker(self, text: str, now: Instant) -> LineageRow:
        return self._lineage_of(
            verify_assertion(text, self._signer.public, issuer=self._origin, now=now)
        )

    def _lineage_of(self, assertion: Assertion) -> LineageRow:
        lineage = self.store.find_lineage(assertion.sub) if assertion.aud == _AUDIENCE else None
        if lineage is None:
            raise UnknownToken("no such enrolment stands here", remedy="enrol again")
        token = self.store.find_token(lineage.token)
        if lineage.released or token is None or token.revoked:
            raise TokenRefused("the enrolment was ended", remedy="enrol again with a new token")
        return lineage

    def _bind(self, lineage: LineageRow, node: str, now: Instant) -> NodeRow:
        if lineage.node not in ("", node):
            raise ForeignNode(f"this enrolment speaks for node {lineage.node}, not for {node}")
        bound = self.store.bind_node(
            NodeRow(node=node, site=lineage.site, lineage=lineage.lineage, bound=now)
        )
        if not hmac.compare_digest(bound.lineage, lineage.lineage):
            raise ForeignNode(
                f"another enrolment speaks for node {node}",
                remedy=f"where the host was enrolled anew: sekisho registry fleet release {node}",
            )
        return bound


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _check_name(node: str) -> None:
    if _NODE.fullmatch(node) is None:
        raise InvalidInput("is no node's UUID", path="node")


def _check_fresh(inventory: NodeInventory, newest: MessageRow | None, now: Instant) -> None:
    """A message bears no time of its own; only the node's start tells an old one."""
    booted = inventory.booted
    if booted is not None and booted.since(now) > _SLACK_S:
        raise InvalidInput("the node started in the future", path="uptime", remedy="set its clock")
    if newest is None or newest.booted is None:
        return
    if booted is None or newest.booted.since(booted) > _SLACK_S:
        raise ReplayedInventory(
            f"the node started at {newest.booted} and this message is from before",
            remedy="look who sends it; release the node if its clock was wrong",
        )


def _sightings(inventory: NodeInventory, bound: NodeRow, now: Instant) -> list[SightingRow]:
    return [
        SightingRow(
            serial=serial_key(device.serial),
            uuid=device.uuid,
            node=bound.node,
            site=bound.site,
            first=now,
            last=now,
        )
        for device in inventory.devices
    ]


def _nonces_of(document: JsonValue) -> tuple[str, ...]:
    """The nonces that pieces of evidence say they answer. Raises InvalidInput for another shape."""
    data = document.get("attestationData") if isinstance(document, dict) else None
    response = data.get("sdkResponse") if isinstance(data, dict) else None
    pieces = response.get("evidences") if isinstance(response, dict) else None
    if pieces is None and isinstance(response, dict):
        return ()  # the agent says so where it could collect none
    if not isinstance(pieces, list) or len(pieces) > 256:
        raise InvalidInput("is no list of evidence", path="attestationData.sdkResponse.evidences")
    nonces = [piece.get("nonce") for piece in pieces if isinstance(piece, dict)]
    return tuple(
        dict.fromkeys(nonce for nonce in nonces if isinstance(nonce, str) and len(nonce) <= 256)
    )
