"""The keeper of locked weights' keys: takes them sealed, gives them to a host that may have them now, destroys them.

A key is given only where licence, enrolment and orders allow it at this very moment, for as long as a lease; each gift
is in the log before the host has it. At a licence's revocation the keeper's copy is destroyed, so that nobody is given
it again. What a host was given it had: plaintext that leaked cannot be locked again.
"""

from __future__ import annotations

import threading

import msgspec

from sekisho.licensing import LicenceState
from sekisho.model.errors import InvalidInput, NotAuthorised, StateConflict
from sekisho.model.instants import Instant
from sekisho.model.statements import (
    LicenceRevoked,
    Reference,
    WeightsKeyReleased,
    WeightsLocked,
)
from sekisho.model.wire import canonical, encode_base64, from_json, parse_json
from sekisho.operations.desk import Desk
from sekisho.operations.state import State
from sekisho.orders import is_covered
from sekisho.orders.access import ends_serving
from sekisho.ports.weights_keys import KeyShelf
from sekisho.signing import Envelope, PublicKey, Recorded
from sekisho.signing.sealing import DepositKey, Opener, Sealer
from sekisho.signing.weights import (
    KeyDeposit,
    KeyRequest,
    ReleasedKey,
    is_signed_by,
    open_deposit,
    parse_request,
    seal_release,
)

__all__ = ["KeyKeeper", "Lock", "check_release_of_key"]

MAX_DEPOSIT = 16_384
REQUEST_SLACK_S = 300
MAX_ANSWERED = 10_000


class Lock(msgspec.Struct, frozen=True, kw_only=True):
    """Locked weights as the log has them."""

    fact: WeightsLocked
    leaf: str


class KeyKeeper:
    """Keeps the keys of one log's locked weights. Safe for many threads."""

    def __init__(self, desk: Desk, shelf: KeyShelf, *, opener: Opener, sealer: Sealer) -> None:
        self._desk = desk
        self._shelf = shelf
        self._opener = opener
        self._sealer = sealer
        self._locks: dict[str, Lock] = {}
        self._answered: dict[str, Instant] = {}
        self._gone: set[str] = set()
        self._lock = threading.Lock()

    @property
    def key(self) -> DepositKey:
        """To which key weights' keys are sealed for this keeper."""
        return self._opener.key

    def take_recorded(self, recorded: Recorded) -> None:
        """An entry is in the log (a listener of the desk, to be there before it loads)."""
        fact = recorded.verified.predicate
        if isinstance(fact, WeightsLocked):
            self._locks[recorded.leaf] = Lock(fact=fact, leaf=recorded.leaf)
        elif isinstance(fact, WeightsKeyReleased):
            self._answered[fact.request] = fact.effective
        elif isinstance(fact, LicenceRevoked):
            self._gone.add(fact.licence.leaf)

    def tend(self) -> int:
        """Destroy the keys of revoked licences; how many there were. Raises Unavailable where the disk refuses."""
        destroyed = 0
        for leaf in [k for k, v in list(self._locks.items()) if v.fact.licence.leaf in self._gone]:
            # Crash here: the next start finds the revocation in the log again.
            destroyed += self._shelf.destroy(leaf)
        return destroyed

    def take_deposit(self, raw: bytes) -> str:
        """Keep a sealed key; gives the leaf of the weights that it locks.

        Raises InvalidInput for no deposit, SealBroken where it is not for this keeper, WrongWeightsKey where it is
        another key than the statement commits to, StateConflict where the log holds no such lock.
        """
        deposit = from_json(KeyDeposit, parse_json(raw, limit=MAX_DEPOSIT), path="deposit")
        lock = next((v for v in list(self._locks.values()) if _is_of(v, deposit)), None)
        if lock is None:
            raise StateConflict(
                "no weights-locked statement in the log names this file and key",
                remedy="have the statement signed and issued first",
            )
        self._require_living(lock)
        open_deposit(deposit, self._opener)
        # Crash here: the party hands it in once more.
        self._shelf.save(lock.leaf, canonical(deposit))
        return lock.leaf

    def release(self, raw: bytes) -> bytes:
        """The key that a host's signed request asks for, sealed to its fresh key; the gift is in the log before.

        Raises InvalidInput, NotAuthorised where another host signed, StateConflict with every reason.
        """
        request, envelope = parse_request(raw)
        self._verify_signer(request, envelope)
        with self._lock, self._desk.lock:
            self._desk.settle()
            now = self._desk.clock.now()
            lock = self._find(request, now)
            digest = envelope.digest
            self._forget(now)
            if digest in self._answered:
                raise StateConflict(
                    "this request was answered already", remedy="draw a fresh key and a fresh nonce"
                )
            reasons = check_release_of_key(self._desk.state, lock, request.host, now)
            if reasons:
                raise StateConflict("; ".join(reasons))
            released = self._open(lock)
            licence = self._desk.state.licences.find(lock.fact.licence.leaf)
            sealed = seal_release(
                msgspec.structs.replace(released, **_times(self._desk.state, licence, now)),
                request,
                digest,
                self._sealer,
            )
            # Crash here: nobody was given anything. Crash after: the host asks anew; the log tells of one gift more.
            self._desk.state_fact(_gift(lock, request, digest, self._desk.origin, now))
        return sealed

    def destroy(self, leaf: str) -> bool:
        """Destroy the keeper's copy of one key; False where there is none."""
        with self._lock:
            return self._shelf.destroy(leaf)

    def _verify_signer(self, request: KeyRequest, envelope: Envelope) -> None:
        if request.log != self._desk.origin:
            raise NotAuthorised(f"the request is for the log {request.log}")
        host = self._desk.state.regime.hosts.get(request.host)
        if host is None:
            raise NotAuthorised(f"host {request.host} is not enrolled")
        if not is_signed_by(envelope, PublicKey.from_text(host.public)):
            raise NotAuthorised(f"the request bears no signature of host {request.host}")

    def _find(self, request: KeyRequest, now: Instant) -> Lock:
        if abs(now.since(request.at)) > REQUEST_SLACK_S:
            raise StateConflict(
                f"the request is dated {request.at}, it is {now}", remedy="ask anew; set the clock"
            )
        lock = self._locks.get(request.locked)
        if lock is None:
            raise StateConflict(f"no locked weights {request.locked[:16]} are in the log")
        return lock

    def _forget(self, now: Instant) -> None:
        """Keep the requests that could come again: what is older than its slack is refused by its date."""
        if len(self._answered) > MAX_ANSWERED:
            since = now.plus(-2 * REQUEST_SLACK_S)
            self._answered = {k: at for k, at in self._answered.items() if at >= since}

    def _open(self, lock: Lock) -> ReleasedKey:
        self._require_living(lock)
        raw = self._shelf.load(lock.leaf)
        if raw is None:
            raise StateConflict(
                "the keeper holds no key of these weights: never handed in, or destroyed"
            )
        try:
            deposit = from_json(KeyDeposit, parse_json(raw), path="kept key")
        except InvalidInput:
            raise StateConflict("the keeper's copy of this key was destroyed") from None
        key, salt = open_deposit(deposit, self._opener)
        return ReleasedKey(key=encode_base64(key), salt=encode_base64(salt), lease_s=0, grace_s=0)

    def _require_living(self, lock: Lock) -> None:
        if lock.fact.licence.leaf in self._gone:
            raise StateConflict("the licence of these weights was revoked: their key is destroyed")


def check_release_of_key(state: State, lock: Lock, host: str, now: Instant) -> tuple[str, ...]:
    """Every reason why this host must not be given this key now; none where it may."""
    held = state.licences.licences.get(lock.fact.licence.leaf)
    enrolled = state.regime.hosts.get(host)
    if held is None or enrolled is None:
        what = "the licence is not in the log" if held is None else f"host {host} is not enrolled"
        return (what,)
    reasons = [obstacle] if (obstacle := held.obstacle()) is not None else []
    period = held.licence.period
    if not period.start <= now < period.end:
        reasons.append(f"licence {held.licence.number} is for {period.start} to {period.end}")
    if host not in held.licence.hosts:
        reasons.append(f"licence {held.licence.number} does not name host {host}")
    facts = state.host_facts(enrolled, held)
    reasons += [
        f"order {known.order.register} {known.order.number} is in force over host {host}"
        for known in state.orders.in_force(now)
        if ends_serving(known.order, lock.fact.model) and is_covered(known, facts)
    ]
    return tuple(reasons)


def _times(state: State, licence: LicenceState, now: Instant) -> dict[str, int]:
    """How long a gift lasts: as long as a lease, past a silence as long as its grace, and never past the licence."""
    terms = state.regime.in_force().terms
    left = int(licence.licence.period.end.since(now))
    lease = min(licence.licence.lease.interval_s, terms.max_lease_s, left)
    return {
        "lease_s": lease,
        "grace_s": min(licence.licence.lease.grace_s, terms.max_grace_s, left - lease),
    }


def _gift(
    lock: Lock, request: KeyRequest, digest: str, origin: str, now: Instant
) -> WeightsKeyReleased:
    return WeightsKeyReleased(
        effective=now,
        model=lock.fact.model,
        locked=Reference(log=origin, leaf=lock.leaf),
        licence=lock.fact.licence,
        host=request.host,
        sealed_to=request.public,
        request=digest,
    )


def _is_of(lock: Lock, deposit: KeyDeposit) -> bool:
    return (lock.fact.ciphertext, lock.fact.key) == (deposit.ciphertext, deposit.key)
