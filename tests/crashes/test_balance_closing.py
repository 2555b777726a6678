"""A crash while a closed balance is written leaves the period open or closed, never half."""

from __future__ import annotations

from pathlib import Path

import pytest

from sekisho.adapters.durable_files import OsDisk
from sekisho.adapters.storage.report_files import ReportFiles
from sekisho.model.errors import Unavailable
from sekisho.operations.register.balancing import Balances
from tests.balanced import Ledger
from tests.registry.balance.worlds import TERMS, at, counted, row

STEPS = ("make_folder", "create", "write", "sync", "remove", "sync_folder")


class BrokenDisk(OsDisk):
    """Fails at the nth call of one step, before or after it took effect."""

    def __init__(self, step: str, *, after: bool) -> None:
        original = getattr(self, step)

        def fail(*arguments: object) -> object:
            if after:
                original(*arguments)
            raise OSError(5, "the machine stops here")

        setattr(self, step, fail)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("step", STEPS)
def test_a_stop_at_any_step_leaves_the_period_open_or_closed(
    tmp_path: Path, step: str, after: bool
) -> None:
    """Closing again gives the same balance, or says that it stands; what is read back is whole."""
    ledger = Ledger(tmp_path)
    ledger.write([row("CM", "a", 1), row("CM", "b", 2)])

    def close(balances: Balances) -> object:
        inventory = counted(["a", "b"], 10)
        return balances.close(
            "osaka", party="cloud", until=at(10), now=at(11), inventory=inventory
        ).balance

    broken = ReportFiles(tmp_path / "balances", BrokenDisk(step, after=after))
    with pytest.raises(Unavailable):
        close(Balances(ledger.store, TERMS, broken))
    kept = ledger.balances.history("osaka")
    balance = kept[0].balance if kept else close(ledger.balances)
    assert ledger.balances.balances("osaka") == (balance,)
    assert ledger.balances.check("osaka") == ()
    ledger.store.close()
