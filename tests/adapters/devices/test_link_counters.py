"""What the kernel says that interfaces have sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from sekisho.adapters.devices.link_counters import KernelLinks, parse_net_dev
from sekisho.model.errors import Unavailable

TABLE = """Inter-|   Receive                                                |  Transmit
 face |bytes packets errs drop fifo frame compressed multicast|bytes packets errs drop fifo colls carrier compressed
    lo: 11 1 0 0 0 0 0 0 12 1 0 0 0 0 0 0
  eth0:13705390669  657180    0    0    0     0          0         0 23339731  248199    0    0    0     0       0     0
eth0.7:1: 1 1 0 0 0 0 0 0 18446744073709551615 1 0 0 0 0 0 0
"""


def test_bytes_sent_are_read_by_interface() -> None:
    """Also where the name and the first figure touch, and where a name has a colon."""
    found = {c.interface: c.sent_bytes for c in parse_net_dev(TABLE)}
    assert found == {"lo": 12, "eth0": 23_339_731, "eth0.7:1": 2**64 - 1}


@pytest.mark.parametrize(
    "line", ["eth0 1 2 3", "eth0: 1 2 3", "eth0: 1 1 0 0 0 0 0 0 -5 1", "eth0"]
)
def test_a_table_that_nobody_knows_is_not_measured(line: str) -> None:
    """It is never read as nothing sent."""
    with pytest.raises(Unavailable, match="nobody knows"):
        parse_net_dev(TABLE + line + "\n")


def test_ports_of_a_fabric_count_words_of_four_bytes(tmp_path: Path) -> None:
    """A port is named after its device; one whose counter cannot be read is not there."""
    (tmp_path / "dev").write_text(TABLE, encoding="utf-8")
    for port, text in (("1", "250\n"), ("2", "N/A\n")):
        counters = tmp_path / "ib" / "mlx5_0" / "ports" / port / "counters"
        counters.mkdir(parents=True)
        (counters / "port_xmit_data").write_text(text, encoding="utf-8")

    found = KernelLinks(tmp_path / "dev", tmp_path / "ib").read()

    ports = [c for c in found if c.source == "infiniband-port-xmit-data"]
    assert [(c.interface, c.sent_bytes) for c in ports] == [("mlx5_0/1", 1000)]


def test_this_kernel_shows_its_loopback() -> None:
    """The real table has the form that is read."""
    assert "lo" in {c.interface for c in KernelLinks().read()}


def test_no_table_is_unavailable(tmp_path: Path) -> None:
    """Named, with why."""
    with pytest.raises(Unavailable, match="cannot be read"):
        KernelLinks(tmp_path / "dev", tmp_path / "ib").read()
