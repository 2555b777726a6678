"""The counter with signatures tried elsewhere: nobody is believed for it, and nobody waits for it in vain."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from queue import SimpleQueue

import pytest

from sekisho.adapters.keys.checker import SignatureProcess
from sekisho.model.errors import BadSignature, SekishoError, Unavailable
from sekisho.operations.leasing import GrantedLease, LeaseCounter
from sekisho.ports.signature_check import Signed
from sekisho.signing import PublicKey, parse_envelope
from sekisho.signing.dsse import sign_payload
from tests import factory as f
from tests.desks import TestDesk
from tests.holders import PEAK, Holder, books_of, license_hosts

HOSTS = 24
WHOLE = PEAK * 62
Answers = list[GrantedLease | SekishoError]


class Told:
    """Tries signatures here, and says of them what a test wants said; counts what it was asked."""

    def __init__(self, say: Callable[[list[bool]], Sequence[bool]]) -> None:
        self._say = say
        self.asked = 0

    def begin(self, rows: Sequence[Signed]) -> Told:
        self.asked += len(rows)
        self._found = [PublicKey(spki).is_signed_by(sig, data) for spki, sig, data in rows]
        return self

    def result(self) -> Sequence[bool]:
        return self._say(self._found)

    def close(self) -> None:
        """It started nothing."""


def gone(_: list[bool]) -> Sequence[bool]:
    raise Unavailable("gone")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TestDesk]:
    with TestDesk(tmp_path) as made:
        yield made


def counter_of(desk: TestDesk, check: Told | SignatureProcess) -> LeaseCounter:
    counter = LeaseCounter(desk.desk, signatures=check)
    counter.load()
    return counter


def forged(raw: bytes) -> bytes:
    """The same request under a stranger's signature that claims to be the host's."""
    envelope = parse_envelope(raw)
    sig = sign_payload(envelope.payload, [f.signer("stranger")]).signatures[0].sig
    return raw.replace(envelope.signatures[0].sig.encode(), sig.encode())


def ask_all(desk: TestDesk, counter: LeaseCounter, requests: Sequence[bytes]) -> Answers:
    """All in the line before anybody is served, answered in their order."""
    told: SimpleQueue[tuple[int, GrantedLease | SekishoError]] = SimpleQueue()
    with desk.desk.lock:
        for number, raw in enumerate(requests):
            counter.enqueue_request(raw, lambda answer, n=number: told.put((n, answer)))  # type: ignore[misc]  # a default
    found = dict(told.get(timeout=60) for _ in requests)
    return [found[number] for number in range(len(requests))]


def requests_of(desk: TestDesk) -> list[bytes]:
    licence = license_hosts(desk.desk, HOSTS)
    return [Holder(number, licence.leaf).request() for number in range(1, HOSTS + 1)]


def check_answers(desk: TestDesk, answers: Answers, refused: set[int]) -> None:
    """A lease for everybody but these, and the books say so."""
    assert {n for n, each in enumerate(answers) if isinstance(each, BadSignature)} == refused
    assert sum(isinstance(each, GrantedLease) for each in answers) == HOSTS - len(refused)
    assert books_of(desk.desk)[""][1] == (HOSTS - len(refused)) * WHOLE


def test_a_forged_request_among_many_is_refused_alone(desk: TestDesk) -> None:
    """By the real process; everybody else has a lease."""
    requests = requests_of(desk)
    requests[7], requests[20] = forged(requests[7]), forged(requests[20])
    check = SignatureProcess()
    try:
        answers = ask_all(desk, counter_of(desk, check), requests)
        assert check.pid is not None
    finally:
        check.close()
    check_answers(desk, answers, {7, 20})


@pytest.mark.parametrize(
    "say",
    [gone, lambda found: [False] * len(found), lambda found: found[:3], lambda _: []],
    ids=["gone", "denies all", "says too little", "says nothing"],
)
def test_what_is_not_found_right_is_verified_here(
    desk: TestDesk, say: Callable[[list[bool]], Sequence[bool]]
) -> None:
    """A process that is gone or wrong keeps nobody from a lease, and lets nobody in."""
    requests = requests_of(desk)
    requests[11] = forged(requests[11])
    check = Told(say)
    answers = ask_all(desk, counter_of(desk, check), requests)
    assert check.asked > 0
    check_answers(desk, answers, {11})


def test_few_are_verified_here(desk: TestDesk) -> None:
    """One host that asks starts no process."""
    check = Told(gone)
    (first, *_) = requests_of(desk)
    assert counter_of(desk, check).grant(first).admitted.fresh
    assert check.asked == 0


def test_many_without_threads_are_answered_in_their_turn(desk: TestDesk) -> None:
    """Each asks from within its answer, receipt after lease; a wrong kind is told too."""
    licence = license_hosts(desk.desk, HOSTS)
    holders = [Holder(number, licence.leaf) for number in range(1, HOSTS + 1)]
    counter, told = counter_of(desk, Told(list)), SimpleQueue[object]()

    def close(holder: Holder, lease: GrantedLease | SekishoError) -> None:
        assert isinstance(lease, GrantedLease)
        holder.took()
        final = holder.receipt(lease.admitted.leaf, stage="final", reserved=0)
        counter.enqueue_receipt(final, told.put)

    for holder in holders:
        counter.enqueue_request(holder.request(), lambda lease, h=holder: close(h, lease))  # type: ignore[misc]  # a default
    assert all(isinstance(told.get(timeout=60), bytes) for _ in holders)
    assert books_of(desk.desk)[""][1:] == (0, 0, 0, 0)
    counter.enqueue_receipt(holders[0].request(), told.put)
    assert isinstance(told.get(timeout=60), SekishoError)
