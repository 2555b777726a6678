"""A host with a TPM, from its paper to certified receipts: real commands, agent, TPM and control plane."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from sekisho.adapters.devices.tpm_counter import TpmCounter
from sekisho.adapters.devices.tpm_seat import TpmSeat
from sekisho.inspection.tpm import NotEndorsed, verify_certified
from sekisho.model.statements import make_payload
from tests.agent.homes import living
from tests.tpm_regime import TpmHost, tpm_host

pytestmark = [pytest.mark.tpm, pytest.mark.slow]

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def host(tmp_path: Path) -> Iterator[TpmHost]:
    with tpm_host(tmp_path) as ready:
        yield ready


def test_a_c2_host_runs_quanta_under_certified_receipts(host: TpmHost, capsys: Capture) -> None:
    """Enrolled by paper, challenge and answer, and shown so; each receipt has the TPM's word for its quantum."""
    host.pin()
    host.enrol("C2")
    told = capsys.readouterr().out
    assert "C2, a TPM whose maker answers for it" in told
    assert "model swtpm" in told
    assert "counter 0x01805e51" in told
    tpm = host.fact().tpm
    assert tpm is not None
    with living(host.home) as alive:
        host.spends()
        last = host.last()
        assert last is not None
        assert last.certified is not None
        assert last.spend is not None
        reading = verify_certified(last, tpm, challenge=last.certified.challenge)
        assert (last.counter, reading.counter) == ("C2", last.quantum)

        alive.kill_agent()
        alive.restart()
        host.spends()
        later = host.last()
        assert later is not None
        assert later.spend is not None
        assert later.spend.lease_number == last.spend.lease_number
        assert host.findings() == []


def test_a_c1_host_counts_in_its_tpm_too(host: TpmHost, capsys: Capture) -> None:
    """Where the charter names no root of its maker, C2 is refused by command and log; as C1 it counts and runs."""
    assert (host.show(), host.challenge(), host.answer()) == (0, 0, 0)
    assert host.draft("C2") == 1
    assert "which the charter does not name" in capsys.readouterr().err
    assert host.draft("C1") == 0
    claimed = msgspec.structs.replace(host.fact(), counter="C2")
    with pytest.raises(NotEndorsed, match="which the charter does not name"):
        host.hand_in(make_payload(claimed))

    host.hand_in(make_payload(host.fact()))
    with living(host.home) as alive:
        spent = host.spends()
        last = host.last()
        assert alive.state() == "running"
    assert last is not None
    assert last.counter == "C1"
    assert TpmCounter(host.tpm.tcti, TpmSeat.load(host.home)).read() >= spent


def test_a_step_out_of_order_is_refused(host: TpmHost, capsys: Capture) -> None:
    """A second counter in one home, a challenge for another host, a tier that has no TPM: each names itself."""
    assert host.show() == 0
    assert host.show() == 1
    assert "stands already" in capsys.readouterr().err
    assert host.draft("C0") == 2
    assert "--tier" in capsys.readouterr().err
    paper, out = host.folder / "paper.json", host.folder / "x.json"
    assert host.call("agent", "tpm", "answer", paper, "--home", host.home, "--out", out) == 2
    assert "paper.json" in capsys.readouterr().err
