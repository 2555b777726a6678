"""Sealed orders that a log holds: opened in time, late, never or with another content, as an auditor finds them."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from sekisho.auditor import CheckResult, Report
from sekisho.model.statements import (
    OrderIssued,
    OrderOpened,
    OrderSealed,
    Scope,
    make_payload,
    parse_payload,
)
from sekisho.orders.predicates import resolve_hosts
from sekisho.orders.sealed import make_sealed
from sekisho.orders.where import parse_where
from sekisho.signing import Envelope, sign_payload
from tests.factory_bundle import (
    QUORUM,
    T0,
    LogSoFar,
    audit,
    check_of,
    heartbeat,
    honest_story,
    item,
    pause,
    reference_of,
    resume,
    seal,
)
from tests.sealed import SALTS

SITE = parse_where(["site is site-1 and driver is process"])
Bend = Callable[[OrderSealed], OrderSealed]
IN_BUNDLE = "pause-1"


class SealedStory:
    """The honest story with its pause sealed; `texts` are what it conceals, once it is told."""

    def __init__(
        self,
        *,
        opens: float = 45,
        hosts: tuple[str, ...] = ("host-1",),
        bend: Bend = lambda sealed: sealed,
        disclosed: bool = False,
    ) -> None:
        self.texts: tuple[str, ...] = ()
        self.story = honest_story()
        self._opens = T0.plus(opens)
        self._hosts, self._bend, self.is_disclosed = hosts, bend, disclosed
        self.story.replace("pause-1", self._sealed)
        self.story.replace("resume-1", resume(scope=Scope(everywhere=True)))

    def opened(self, at: float, texts: Callable[[], tuple[str, ...]] | None = None) -> SealedStory:
        """The log opens it at this second."""
        self.story.add(at, ("opened-1", item(self.opening(at, texts), "operator-1")))
        return self

    def opening(
        self, at: float, texts: Callable[[], tuple[str, ...]] | None = None
    ) -> Callable[[LogSoFar], OrderOpened]:
        def opening(log: LogSoFar) -> OrderOpened:
            return OrderOpened(
                effective=T0.plus(at),
                order=reference_of(log, "pause-1"),
                disclosures=self.texts if texts is None else texts(),
            )

        return opening

    def _sealed(self, log: LogSoFar) -> Envelope:
        order = self.inside(log)
        sealed, self.texts = make_sealed(order, self._hosts, SALTS, opens=self._opens)
        if self.is_disclosed:
            self.story.disclosures[IN_BUNDLE] = list(self.texts)
        return sign_payload(make_payload(self._bend(sealed)), log.cast.signers(*QUORUM))

    def inside(self, log: LogSoFar) -> OrderIssued:
        fact = parse_payload(pause()(log).payload).predicate
        assert isinstance(fact, OrderIssued)
        at = log.position()
        scope = resolve_hosts(SITE, ("host-1",), size=at.size, tree=at.root)
        return msgspec.structs.replace(fact, scope=Scope(), resolved=scope)


def report(told: SealedStory) -> Report:
    sealed = seal(told.story)
    if told.is_disclosed:
        sealed = seal(told.story)  # what it conceals is known once the story is told
    return audit(sealed)


def check(told: SealedStory) -> CheckResult:
    return check_of(report(told), "sealed")


def test_opened_in_time_it_holds_and_the_rest_of_the_audit_with_it() -> None:
    """Content, hosts and times agree; its inside is judged as any order is."""
    found = report(SealedStory().opened(76))
    assert check_of(found, "sealed").verdict == "holds", check_of(found, "sealed")
    for name in ("registers", "orders-in-force", "order-scopes", "holds", "uniqueness"):
        assert check_of(found, name).verdict == "holds", check_of(found, name)
    assert "1 hosts" in check_of(found, "order-scopes").detail


def test_a_log_without_sealed_orders_says_so() -> None:
    """Nothing sealed is no fault."""
    assert check_of(audit(seal(honest_story())), "sealed").detail == "no order is sealed"


def test_not_opened_yet_it_is_unverifiable() -> None:
    """Before its instant an outsider can say neither yes nor no, and nothing else fails for it."""
    found = report(SealedStory(opens=1_800))
    assert check_of(found, "sealed").verdict == "unverifiable"
    for name in ("registers", "orders-in-force", "order-scopes", "holds", "leases"):
        assert check_of(found, name).verdict == "holds", check_of(found, name)


def test_with_its_disclosures_in_the_bundle_it_holds_before_it_opens() -> None:
    """An auditor who is entitled to them need not wait."""
    assert check(SealedStory(opens=1_800, disclosed=True)).verdict == "holds"


def test_opened_early() -> None:
    """Nobody had lifted it, and its instant was still to come."""
    told = SealedStory(opens=1_800)
    told.story.insert_after("pause-1", "opened-1", item(told.opening(20.5), "operator-1"))
    found = check(told)
    assert found.verdict == "fails"
    assert "nothing had lifted it" in found.detail


def test_opened_once_it_was_lifted() -> None:
    """After the resume at 42 s it may be opened before its instant."""
    assert check(SealedStory(opens=1_800).opened(76)).verdict == "holds"


def test_never_opened() -> None:
    """A day after its instant silence is a fault."""
    told = SealedStory(opens=45)
    told.story.add(90_000, ("beat-9", heartbeat(90_000, orders=("pause-1", "resume-1"))))
    found = check(told)
    assert (found.verdict, "is not open" in found.detail) == ("fails", True)


def test_opened_otherwise() -> None:
    """What is shown is not what was sealed."""

    def other() -> tuple[str, ...]:
        made = told.inside_again
        return make_sealed(made, ("host-1",), SALTS, opens=made.effective.plus(60))[1]

    told = _Otherwise()
    found = check(told.opened(76, other))
    assert (found.verdict, "forged-disclosure" in found.detail) == ("fails", True)


def test_opened_without_its_salt() -> None:
    """Then nobody could count its hosts again."""
    told = SealedStory()
    found = check(told.opened(76, lambda: told.texts[:1]))
    assert (found.verdict, "without the order or the salt" in found.detail) == ("fails", True)


def test_hosts_other_than_those_inside() -> None:
    """A tree that leaves a host out, or holds one more, is found by whoever counts again."""
    for hosts in ((), ("host-1", "host-9")):
        found = check(SealedStory(hosts=hosts).opened(76))
        assert (found.verdict, "forged-seal" in found.detail) == ("fails", True)


def test_a_third_digest() -> None:
    """Room for a second content is a fault, whatever is opened."""

    def third(sealed: OrderSealed) -> OrderSealed:
        return msgspec.structs.replace(sealed, concealed=(*sealed.concealed, "A" * 43))

    assert check(SealedStory(bend=third).opened(76)).verdict == "fails"


class _Otherwise(SealedStory):
    """Remembers what was sealed, with another legal basis."""

    inside_again: OrderIssued

    def inside(self, log: LogSoFar) -> OrderIssued:
        order = super().inside(log)
        self.inside_again = msgspec.structs.replace(order, legal_basis="another law")
        return order
