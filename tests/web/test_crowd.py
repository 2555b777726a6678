"""Many agents at one control plane: each verifies for itself, and every receipt ends in a witnessed checkpoint."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec

from sekisho.model.statements import ReceiptGiven
from tests.crowd import Outcome, crowd_host, enrol_crowd
from tests.factory import AUTHORITY, VERIFIER, signed
from tests.regime import LiveRegime, live_regime
from tests.web.serving import serving

MANY = 200
WITHIN_S = 240


def test_an_order_to_many_agents_comes_back_as_many_witnessed_receipts(tmp_path: Path) -> None:
    """Two hundred agents verify one pause by themselves, halt, and each one's receipt is witnessed once."""
    hosts = [crowd_host(n) for n in range(1, MANY + 1)]
    with live_regime(tmp_path) as regime, serving(regime.control) as url:
        desk = regime.control.desk
        enrol_crowd(desk, hosts, (AUTHORITY[0], regime.operator), regime.now, "Operator")
        regime.control.publisher.wait_witnessed(desk.state.size - 1, 60)
        outcomes = _halt_crowd(regime, url, tmp_path / "outcomes.json")
        given = {each.receipt for each in outcomes}
        places = _places(regime)
        regime.control.publisher.wait_witnessed(max(places.values()), 60)
    assert [text for each in outcomes for text in each.findings] == []
    assert len(given) == MANY
    assert given <= places.keys()
    assert all(each.proven and each.acknowledged for each in outcomes)


def _halt_crowd(regime: LiveRegime, url: str, out: Path) -> list[Outcome]:
    """What became of each agent of a crowd, in a process of its own, under one pause."""
    trust = regime.control.home.path / "trust.json"
    command = [sys.executable, "-m", "tests.crowd", "--url", url, "--trust", str(trust)]
    command += ["--public", str(regime.control.home.public), "--out", str(out)]
    command += ["--count", str(MANY), "--within-s", str(WITHIN_S)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as crowd:
        if crowd.stdout is None or '"ready"' not in crowd.stdout.readline():
            raise ChildProcessError("the crowd did not come together")
        order = signed(regime.order(), *AUTHORITY[:3], VERIFIER[0])
        regime.control.submit(order.raw)
        crowd.stdout.readline()
    return msgspec.json.decode(out.read_bytes(), type=list[Outcome])


def _places(regime: LiveRegime) -> dict[str, int]:
    """Where the receipts stand in the log, by payload digest."""
    return {
        each.verified.digest: each.index
        for each in regime.control.desk.recorded()
        if isinstance(each.verified.predicate, ReceiptGiven)
    }
