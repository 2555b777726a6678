"""Attack: signed times are kept from a host, its agent restarts, and a new one makes an order on sight lapse early.

Within one boot: tests/simulation/test_order_counterexamples.py, by the mutant's name.
"""

from __future__ import annotations

from pathlib import Path

from sekisho.adapters.storage.host_folder import HostFolder
from sekisho.following import Followed, Follower
from sekisho.following.kept import keep_followed, load_followed
from sekisho.ports.control import Feed
from tests.simulation.test_order_counterexamples import machines

SINCE_BOOT_S = 60.0


def test_after_another_boot_it_counts_from_that_boot_at_the_earliest() -> None:
    """How long the host was off nobody here can say: an order that was seen before is not older than the boot."""
    made, host = machines()
    made.sight(host, 1)
    later = Follower(host.name, made.control.root)
    later.boot, later.elapsed_s = "another", SINCE_BOOT_S
    for followed in host.kept:
        later.take_again(followed)
    deadline_s = later.regime.in_force().terms.witness_deadline_s
    leapt = made.control.now().plus(2 * deadline_s)
    note = made.control.log.note(leapt)

    later.take(Feed(next=0, items=(), checkpoint=note), SINCE_BOOT_S)
    assert later.lapses(leapt) == []
    later.take(Feed(next=0, items=(), checkpoint=note), deadline_s + 1.0)
    assert [finding.code for finding in later.lapses(leapt)] == ["unwitnessed-order-lapsed"]


def test_the_moment_is_kept_with_what_acts_on_sight(tmp_path: Path) -> None:
    """Boot and seconds come back from the file; what was kept before they were noted has none."""
    made, host = machines()
    made.sight(host, 1)
    files = HostFolder(tmp_path)
    for followed in host.kept:
        keep_followed(files, followed)
    last = list(load_followed(files))[-1]
    assert (last.proof, last.boot, last.at_s) == (None, "", host.kept[-1].at_s)
    assert isinstance(last, Followed)
