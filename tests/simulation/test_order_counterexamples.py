"""What the counterexamples of models/orders.pml look like in the real code, one test each, by their mutants' names."""

from __future__ import annotations

import base64
import contextlib

import msgspec
import pytest

from sekisho.agent.decide import LeaseFacts, Situation, decide
from sekisho.model.errors import StateConflict
from sekisho.model.statements import OutageDeclared, Span
from sekisho.orders import Demand
from sekisho.ports.control import FeedItem
from sekisho.signing import sign_payload
from tests import factory as f
from tests.fakes import Crashed, Rig
from tests.simulation.replaying_orders import TICK_S, HostMachine, OrderMachines

RESUME = 3


def machines(*options: str, drafted: tuple[int, ...] = (1, 2)) -> tuple[OrderMachines, HostMachine]:
    """Two hosts without orders, with some drafted under their whole quorum; and the first host."""
    made = OrderMachines(options)
    for number in drafted:
        made.sign(number, 2, 1, 0)
    return made, made.hosts[0]


def logged(made: OrderMachines, *numbers: int) -> None:
    for number in numbers:
        made.record(made.hosts[0], number)
    made.witness(made.hosts[0], 0)


def pass_ticks(made: OrderMachines, ticks: int) -> None:
    for _ in range(ticks):
        made.tick(made.hosts[0], 0)


def demanded(made: OrderMachines, host: HostMachine) -> int:
    return made.told_host(made.hosts.index(host))["demanded"]


def test_resume_on_sight() -> None:
    """RESUME_ON_SIGHT: with its whole quorum and no witness it lifts nothing."""
    made, host = machines()
    made.sight(host, 1)
    made.sign(RESUME, 2, 1, 1)

    made.refuse(host, RESUME)
    assert demanded(made, host) == 1


def test_resume_names_another() -> None:
    """RESUME_NAMES_ANOTHER: a resume of order 1 leaves order 2 standing."""
    made, host = machines()
    made.sign(RESUME, 2, 1, 1)
    logged(made, 1, 2, RESUME)
    for number in (1, 2, RESUME):
        made.prove(host, number)

    assert demanded(made, host) == 2


def test_quorum_per_key() -> None:
    """QUORUM_PER_KEY: as many keys as both quorums ask, all of one constituency, are none."""
    made, host = machines(drafted=())
    made.sign(1, 3, 0, 0)

    made.refuse(host, 1)
    assert not made.is_recordable(1)


def test_key_counted_twice() -> None:
    """KEY_COUNTED_TWICE: one key that signed three times is one key."""
    made, host = machines()
    draft = made.drafts[1]
    keys = (f.AUTHORITY[0], f.AUTHORITY[0], f.AUTHORITY[0], f.VERIFIER[0])
    draft.envelope = sign_payload(draft.payload, keys)

    made.refuse(host, 1)
    assert not made.is_recordable(1)


def test_withdrawn_counted() -> None:
    """WITHDRAWN_COUNTED: what a key took back before the log held it does not count there."""
    made, host = machines()
    assert made.is_recordable(1)
    made.withdraw(host, 1)

    assert not made.is_recordable(1)


def test_head_ignored() -> None:
    """HEAD_IGNORED: an order that is known of and not at hand holds new work back."""
    made, host = machines()
    made.grant(host, 0)
    made.accept(host, 0)
    assert made.told_host(0)["may"] == 1
    logged(made, 1)
    made.tell(host, 1)

    assert (made.told_host(0)["outstanding"], made.told_host(0)["may"]) == (1, 0)


def test_grant_while_covered() -> None:
    """GRANT_WHILE_COVERED: from an order's index on nobody in its scope gets a lease."""
    made, host = machines()
    logged(made, 1)

    with pytest.raises(StateConflict, match="covers this host"):
        made.grant(host, 0)


def test_cap_loosens_pause() -> None:
    """CAP_LOOSENS_PAUSE: work that a pause stops is not let go on slowly by a cap, whichever came first."""
    for order in ((1, 2), (2, 1)):
        made, host = machines("CAP")
        logged(made, 1, 2)
        for number in order:
            made.prove(host, number)
        told = made.told_host(0)
        assert (told["capped"], told["demanded"], told["may"]) == (1, 1, 0)
        made.sign(RESUME, 2, 1, 2)
        logged(made, RESUME)
        made.prove(host, RESUME)
        told = made.told_host(0)
        assert (told["capped"], told["demanded"]) == (0, 1)


def test_cap_on_sight() -> None:
    """CAP_ON_SIGHT: under its whole quorum and without a witness it slows nobody down."""
    made, host = machines("CAP")

    made.refuse(host, 2)
    assert made.told_host(0)["capped"] == 0


def test_cap_lifted_on_sight() -> None:
    """CAP_LIFTED_ON_SIGHT: lifted as a pause is, by a resume that a witness has shown."""
    made, host = machines("CAP")
    logged(made, 1, 2)
    made.prove(host, 2)
    made.sign(RESUME, 2, 1, 2)

    made.refuse(host, RESUME)
    assert made.told_host(0)["capped"] == 1
    logged(made, RESUME)
    made.prove(host, RESUME)
    assert made.told_host(0)["capped"] == 0


@pytest.mark.parametrize("heard", [True, False], ids=["heard", "unheard"])
def test_watchdog_missing(*, heard: bool) -> None:
    """NO_WATCHDOG: an agent that dies with an order in the log stops within the longest lease and its grace."""
    made, host = machines()
    made.grant(host, 0)
    made.accept(host, 0)
    logged(made, 1)
    made.begin(host, 0)
    if heard:
        made.prove(host, 1)
    pass_ticks(made, 2)

    assert not host.running
    assert made.told_host(0)["may"] == 0


def test_expiry_lapses() -> None:
    """EXPIRY_LAPSES: past its expiry a pause that refuses until a resume still refuses."""
    made, host = machines()
    logged(made, 1)
    made.prove(host, 1)
    pass_ticks(made, 5)

    assert made.time > made.drafts[1].order.expires
    assert demanded(made, host) == 1


def test_expiry_by_latest() -> None:
    """EXPIRY_BY_LATEST: a system clock set ahead does not end a hold."""
    made, host = machines("HOLD", "EXPIRES=2")
    logged(made, 2)
    made.prove(host, 2)
    facts = host.follower.facts(None)
    ahead = made.time.plus(10**6)

    assert host.follower.demand(ahead, facts)[0].effect == "freeze"
    pass_ticks(made, 2)
    assert demanded(made, host) == 0


def test_gap_is_stale() -> None:
    """GAP_IS_STALE: the later order first, then the one before it: fetched and obeyed, never called stale."""
    made, _ = machines()
    second = made.hosts[1]
    made.sight(second, 2)
    assert second.follower.book.outstanding() == (("pause/JP", 1),)
    made.sight(second, 1)

    assert second.follower.book.outstanding() == ()
    assert demanded(made, second) == 1


def test_other_digest_taken() -> None:
    """OTHER_DIGEST_TAKEN: another order at a number that is held does not take its place, witnessed or not."""
    made, _ = machines("TWIN")
    second = made.hosts[1]
    made.sight(second, 1)
    logged(made, 2)

    made.refuse(second, 2)
    made.refuseproof(second, 2)
    assert demanded(made, second) == 1


def test_unwitnessed_survives() -> None:
    """UNWITNESSED_SURVIVES: what no witnessed checkpoint showed within a day asks nothing any more."""
    made, host = machines()
    made.sight(host, 1)
    pass_ticks(made, 2)
    assert demanded(made, host) == 1
    pass_ticks(made, 1)

    assert (demanded(made, host), made.told_host(0)["lapsed"]) == (0, 1)


def test_witnessed_lapses() -> None:
    """WITNESSED_LAPSES: taken on sight and then seen in a witnessed checkpoint it stays."""
    made, host = machines()
    made.sight(host, 1)
    logged(made, 1)
    made.prove(host, 1)
    pass_ticks(made, 4)

    assert demanded(made, host) == 1


@pytest.mark.parametrize("proved", [True, False], ids=["witnessed", "on-sight"])
def test_lapsed_refolded(*, proved: bool) -> None:
    """LAPSED_REFOLDED, met by the model: an order that lapsed must not keep its successor out at a restart."""
    made, host = machines("TWIN")
    made.sight(host, 1)
    pass_ticks(made, 3)
    if proved:
        made.drafts[2].order = msgspec.structs.replace(
            made.drafts[2].order, expires=f.NOW.plus(10 * TICK_S)
        )
        made.sign(2, 2, 1, 0)
        logged(made, 2)
        made.prove(host, 2)
    else:
        made.sight(host, 2)
    assert demanded(made, host) == 2
    made.restart(host, 0)

    assert demanded(made, host) == 2


def test_seen_by_earliest() -> None:
    """SEEN_BY_EARLIEST, met by the model: when a newer time is heard an order on sight is not older for that."""
    made, host = machines()
    made.now += 1
    made.control.clock.system = made.time  # what was heard of the time is a tick old from now on
    made.sight(host, 1)
    pass_ticks(made, 2)

    assert demanded(made, host) == 1
    pass_ticks(made, 1)
    assert demanded(made, host) == 0


def test_seen_by_earliest_after_a_restart() -> None:
    """The same where the agent starts anew before it hears the newer time: what was kept tells the order's age."""
    made, host = machines()
    made.now += 1
    made.control.clock.system = made.time
    made.sight(host, 1)
    made.restart(host, 0)
    pass_ticks(made, 2)

    assert demanded(made, host) == 1
    pass_ticks(made, 1)
    assert demanded(made, host) == 0


def test_head_lost_at_lapse() -> None:
    """HEAD_LOST_AT_LAPSE, met by the model: what was stated of a register outlives a later order that lapses."""
    made, _ = machines()
    second = made.hosts[1]
    logged(made, 1)
    made.tell(second, 1)
    made.sight(second, 2)
    pass_ticks(made, 3)

    assert second.follower.book.outstanding() == (("pause/JP", 1),)
    made.restart(second, 0)
    assert second.follower.book.outstanding() == (("pause/JP", 1),)


def test_head_lost_at_restart() -> None:
    """LAPSED_REFOLDED for a head: what lapsed must not keep out, at a restart, the head that took its number."""
    made, _ = machines("TWIN")
    second = made.hosts[1]
    made.sight(second, 1)
    logged(made, 2)
    pass_ticks(made, 3)
    made.tell(second, 2)
    made.restart(second, 0)

    assert second.follower.book.outstanding() == (("pause/JP", 1),)


def test_resume_lost_at_restart() -> None:
    """Met by the replay: a resume that came before the order that it lifts is known again after a restart."""
    made, host = machines()
    made.sign(RESUME, 2, 1, 1)
    logged(made, 1, RESUME)
    made.tell(host, 1)
    made.prove(host, RESUME)
    made.prove(host, 1)
    made.restart(host, 0)

    assert (demanded(made, host), made.told_host(0)["release"]) == (0, 2)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", range(8))
def test_receipt_before_kept(step: int, *, after: bool) -> None:
    """RECEIPT_BEFORE_KEPT, met by the model: whoever said halted knows by which order, wherever the agent died."""
    rig = Rig().started(mode="kill")
    order = rig.control.order(effect="freeze")
    rig.control.show(order)
    rig.crash_at(step, after=after)
    with contextlib.suppress(Crashed):
        rig.run_for(2)
    said = b'"stage":"halted"'
    rig.mend()
    rig.control.feed.pop()  # it came by hand: no feed brings it again
    lines = [msgspec.json.decode(line) for line in rig.files.load_lines("receipts.jsonl")]
    halted = any(said in _payload(line) for line in lines)
    rig.wake()
    rig.run_for(4)

    assert halted or step < 6
    if halted:
        assert rig.doing() != "running"


def _payload(line: dict[str, str]) -> bytes:
    return base64.b64decode(line["payload"])


def test_outage_over_order() -> None:
    """OUTAGE_OVER_ORDER: work past its lease is not spared by an outage where an order covers its host."""
    lease = LeaseFacts(mode="kill", grace_s=60.0, ends_s=-120.0)
    situation = Situation(
        now_s=0.0, work="running", tier="C2", lease=lease, quantum_ends_s=0.0, outage_s=3_600.0,
        outage_for_s=3_600.0,
    )  # fmt: skip
    made, _ = machines()
    cap = Demand(effect="cap", orders=(made.drafts[1].reference,))

    assert decide(situation).work == "run"
    assert decide(msgspec.structs.replace(situation, demand=cap)).work == "kill"
    assert decide(msgspec.structs.replace(situation, outstanding_s=0.0)).work == "kill"


def test_outage_by_one() -> None:
    """OUTAGE_BY_ONE: an outage that one constituency declares extends nothing."""
    made, host = machines()
    outage = OutageDeclared(
        effective=made.time,
        outage="outage-1",
        period=Span(start=made.time, end=made.time.plus(3_600)),
        reason="power",
    )

    assert not host.take(FeedItem(envelope=f.signed(outage, *f.AUTHORITY[:3]).raw))
    assert host.take(FeedItem(envelope=f.signed(outage, *f.AUTHORITY[:2], f.OPERATOR).raw))
