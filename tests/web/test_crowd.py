"""Many agents at one control plane: each verifies for itself, and every receipt ends in a witnessed checkpoint."""

from __future__ import annotations

import asyncio
from pathlib import Path

from sekisho.model.statements import ReceiptGiven
from tests.crowd import Crowd, crowd_host, enrol_crowd, raise_files
from tests.factory import AUTHORITY, VERIFIER, signed
from tests.regime import LiveRegime, live_regime
from tests.web.serving import serving

MANY = 200
WITHIN_S = 300


def test_an_order_to_many_agents_comes_back_as_many_witnessed_receipts(tmp_path: Path) -> None:
    """Two hundred agents verify one pause by themselves, halt, and each one's receipt is witnessed once."""
    raise_files()
    hosts = [crowd_host(n) for n in range(1, MANY + 1)]
    with live_regime(tmp_path) as regime, serving(regime.control) as url:
        desk = regime.control.desk
        enrol_crowd(desk, hosts, (AUTHORITY[0], regime.operator), regime.now, "Operator")
        regime.control.publisher.wait_witnessed(desk.state.size - 1, 60)
        crowd = Crowd(url, regime.control.root, regime.control.home.public, hosts)
        assert asyncio.run(_halt(crowd, regime))
        last = max(_places(regime).values())
        regime.control.publisher.wait_witnessed(last, 60)
        given = {agent.outcome.receipt for agent in crowd.agents}
        assert len(given) == MANY
        assert given <= _places(regime).keys()
        assert not [text for agent in crowd.agents for text in agent.outcome.findings]


async def _halt(crowd: Crowd, regime: LiveRegime) -> bool:
    """Whether every agent saw the order, proved it, and was told that its receipt is taken."""
    await crowd.connect()
    order = signed(regime.order(), *AUTHORITY[:3], VERIFIER[0])
    await asyncio.to_thread(regime.control.submit, order.raw)
    done = await crowd.until(
        lambda agent: bool(agent.outcome.acknowledged and agent.outcome.proven), WITHIN_S
    )
    crowd.close()
    return done


def _places(regime: LiveRegime) -> dict[str, int]:
    """Where the receipts stand in the log, by payload digest."""
    return {
        each.verified.digest: each.index
        for each in regime.control.desk.recorded()
        if isinstance(each.verified.predicate, ReceiptGiven)
    }
