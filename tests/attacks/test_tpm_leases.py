"""Attacks on leases of hosts with TPMs, against the real issuer: what no host can see by itself, the issuer does."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from sekisho.adapters.devices.tpm_counter import TpmCounter
from sekisho.adapters.devices.tpm_seat import TpmSeat
from sekisho.inspection.tpm import CounterMissing, OtherChallenge, OtherQuantum
from sekisho.licensing import ReceiptFork
from sekisho.model.errors import BadSignature
from sekisho.model.statements import CertifiedCounter, ReceiptGiven
from tests.agent.homes import Living, living, wait_until
from tests.factory import HOST, signed
from tests.swtpms import seat, swtpm
from tests.tpm_regime import TpmHost, tpm_host

pytestmark = [pytest.mark.tpm, pytest.mark.slow]


@pytest.fixture
def host(tmp_path: Path) -> Iterator[TpmHost]:
    with tpm_host(tmp_path) as ready:
        yield ready


def test_tpm_state_and_disk_rolled_back_together_on_c1(host: TpmHost, tmp_path: Path) -> None:
    """The host cannot tell; the issuer sees a second receipt of one number, acknowledges none, and the work stops."""
    host.enrol("C1")
    with living(host.home) as alive:
        host.spends()
        stop(alive)
    host.tpm.power_off()
    kept, disk = host.tpm.copy_state(), tmp_path / "disk"
    shutil.copytree(host.home, disk, ignore=shutil.ignore_patterns("watchdog"))
    host.tpm.power_on()
    with living(host.home) as alive:
        spent = host.spends()
        stop(alive)

    host.tpm.power_off()
    host.tpm.restore_state(kept)
    host.tpm.power_on()
    shutil.rmtree(host.home)
    shutil.copytree(disk, host.home)
    with living(host.home):
        wait_until(lambda: "receipt-fork" in host.findings(), timeout_s=20)
        wait_until(lambda: "forked" in host.ends(), timeout_s=20)
    assert host.quantum() >= spent  # the chain that the issuer keeps did not go back


def stop(alive: Living) -> None:
    """End the agent in order and its work with it, as a shutdown does."""
    alive.agent.terminate()
    alive.agent.wait(60)
    alive.link.kill()
    alive.link.quit()


@pytest.fixture(scope="module")
def c2(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TpmHost]:
    with tpm_host(tmp_path_factory.mktemp("c2")) as host:
        host.pin()
        host.enrol("C2")
        yield host


def test_tpm_gone_in_the_midst_of_work(c2: TpmHost) -> None:
    """A C2 host whose TPM is gone begins no further quantum; once it is back, work goes on under its certificates."""
    with living(c2.home) as alive:
        c2.spends()
        c2.tpm.power_off()
        wait_until(lambda: alive.state() != "running", timeout_s=20)
        assert "counter-silent" in c2.findings()
        c2.tpm.power_on()
        c2.spends()


@pytest.fixture
def spent(c2: TpmHost) -> TpmHost:
    """A C2 host that has spent quanta, whose agent has left: what comes next under its key is the attacker's."""
    if c2.last() is None:
        with living(c2.home):
            c2.spends()
    return c2


def test_quantum_without_its_certificate(spent: TpmHost) -> None:
    """A C2 host's next receipt without the TPM's word, or under a lower tier's name, is refused."""
    with pytest.raises(CounterMissing):
        hand_in(spent, next_receipt(spent, None))
    with pytest.raises(CounterMissing):
        hand_in(spent, msgspec.structs.replace(next_receipt(spent, certify(spent)), counter="C1"))


def test_quantum_with_the_certificate_of_an_earlier_one(spent: TpmHost) -> None:
    """The last receipt's own certificate does not serve again."""
    last = spent.last()
    assert last is not None
    with pytest.raises(OtherQuantum):
        hand_in(spent, next_receipt(spent, last.certified))


def test_quantum_certified_over_a_nonce_of_ones_own(spent: TpmHost) -> None:
    """The counter has stepped and the TPM says so, but to nobody's question."""
    certificate = certify(spent, challenge="77" * 16)
    with pytest.raises(OtherChallenge):
        hand_in(spent, next_receipt(spent, certificate))


def test_quantum_certified_by_another_hosts_tpm(spent: TpmHost) -> None:
    """A second TPM, brought to the same number, cannot speak for the enrolled one."""
    with swtpm(own=True) as other:
        counter = TpmCounter(other.tcti, seat(other)[1])
        while counter.step() < spent.quantum() + 1:
            pass
        stranger = counter.certify(newest(spent))
    with pytest.raises(BadSignature):
        hand_in(spent, next_receipt(spent, stranger))


def test_two_receipts_of_one_number(spent: TpmHost) -> None:
    """The same quantum told twice, with a certificate each, is a fork, whatever the TPM says."""
    certificate = certify(spent)
    receipt = next_receipt(spent, certificate)
    hand_in(spent, receipt)
    with pytest.raises(ReceiptFork):
        hand_in(spent, msgspec.structs.replace(receipt, state="frozen"))


def certify(host: TpmHost, *, challenge: str = "") -> CertifiedCounter:
    """The enrolled TPM, at the number after the issuer's last, over its newest challenge or another."""
    counter = TpmCounter(host.tpm.tcti, TpmSeat.load(host.home))
    while counter.read() <= host.quantum():
        counter.step()
    return counter.certify(challenge or newest(host))


def newest(host: TpmHost) -> str:
    last = host.last()
    assert last is not None
    assert last.certified is not None
    return last.certified.challenge


def next_receipt(host: TpmHost, certified: CertifiedCounter | None) -> ReceiptGiven:
    """The quantum after the last that the issuer took, as the last one in all but its number."""
    last, chain = host.last(), host.regime.control.leases.chain("host-1")
    assert last is not None
    return msgspec.structs.replace(
        last,
        sequence=chain.sequence + 1,
        previous=chain.head,
        quantum=last.quantum + 1,
        certified=certified,
    )


def hand_in(host: TpmHost, receipt: ReceiptGiven) -> None:
    host.regime.control.leases.take_receipt(signed(receipt, HOST).raw)
