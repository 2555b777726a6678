"""An issuer in a process of its own: it serves holders from many threads until it is killed, and tells its answers.

Each line on standard output is one answer that a holder has in hand: what the books may never lose. The process is
ended without warning by its process id; the next one goes on in the same folder.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from sekisho.signing import parse_envelope
from tests.desks import TestDesk
from tests.holders import QUANTUM, Holder, leaf_of, license_hosts

__all__ = ["found", "serve"]

_TELL = threading.Lock()


def serve(folder: str, licence: str, count: str, rounds: str) -> None:
    """Renew leases for host-1 to host-`count`, all at once, for so many rounds each."""
    with TestDesk(Path(folder)) as desk:
        desk.leases.close_overdue()
        holders = [resume(desk, n, licence) for n in range(1, int(count) + 1)]
        tell("ready", desk.leases.term)
        threads = [
            threading.Thread(target=renew, args=(desk, holder, int(rounds)), daemon=True)
            for holder in holders
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        tell("done", 0)


def resume(desk: TestDesk, number: int, licence: str) -> Holder:
    """A holder as it stands after whatever was answered, or not, before the kill: its own state survived."""
    holder = Holder(number, licence)
    chain = desk.leases.chain(holder.host)
    holder.sequence, holder.head = chain.sequence, chain.head
    holder.quantum = chain.last.quantum if chain.last is not None else 0
    holder.lease_number = desk.desk.state.licences.lease_numbers.get(holder.host, 0)
    return holder


def renew(desk: TestDesk, holder: Holder, rounds: int) -> None:
    """Ask, spend one quantum, give the rest back; again and again, each answer told."""
    for _ in range(rounds):
        lease = desk.leases.grant(holder.request())
        holder.took()
        tell("granted", lease.admitted.leaf)
        for stage in ("quantum", "final"):
            receipt = holder.receipt(leaf_of(lease), stage=stage, reserved=QUANTUM)
            desk.leases.take_receipt(receipt)
            tell(stage, parse_envelope(receipt).digest)


def tell(what: str, which: object) -> None:
    with _TELL:
        sys.stdout.write(f"{what} {which}\n")
        sys.stdout.flush()


def found(folder: Path, count: int, budget_flop: int) -> str:
    """Make the regime that the issuer serves; the licence's leaf."""
    with TestDesk(folder) as desk:
        return license_hosts(desk.desk, count, budget_flop=budget_flop).leaf
