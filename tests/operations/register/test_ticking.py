"""What time makes due."""

from __future__ import annotations

from pathlib import Path

from tests.capturing import World, chip, commissioned, received, shipped

WEEK = 7 * 86_400


def test_a_receipt_that_is_overdue_is_told_once(tmp_path: Path) -> None:
    """Not before it is due, not twice, and a rebuild keeps it."""
    with World(tmp_path) as world:
        world.send([commissioned(chip(1), chip(2))], "maker")
        world.send([shipped("maker", "dist", chip(1), chip(2))], "maker")
        world.send([received("dist", chip(2))], "dist")
        shipped_at = world.standing(chip(1)).at
        assert world.register.tick(shipped_at.plus(2 * WEEK - 1)) == ()
        alerts = world.register.tick(shipped_at.plus(2 * WEEK + 1))
        assert [(alert.code, alert.epc) for alert in alerts] == [("receipt-overdue", chip(1))]
        assert world.register.tick(shipped_at.plus(3 * WEEK)) == ()
        world.register.rebuild()
        assert world.register.tick(shipped_at.plus(4 * WEEK)) == ()
        kept = [row for row in world.store.load_alerts(after=0, limit=9) if row.epc == chip(1)]
        assert len(kept) == 1
