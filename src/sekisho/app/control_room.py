"""What the console asks about orders: their reach, their sites, who is late, appeals and drills."""

from __future__ import annotations

from sekisho.app.control import Control
from sekisho.model.instants import Instant
from sekisho.operations.appealing import appeal_standing
from sekisho.operations.blast_radius import (
    BlastRadius,
    Seen,
    SiteInReach,
    WorkSeen,
    preview_order,
    seen_of,
)
from sekisho.operations.delivery import Delivery, Pushes, SilentAddress
from sekisho.operations.drilling import (
    DrillReport,
    SiteExercised,
    drill_report,
    exercised_sites,
)
from sekisho.operations.ordering import OrderPlan, draft_order
from sekisho.operations.site_progress import (
    STAGES,
    SiteProgress,
    StageReached,
    progress_by_site,
)
from sekisho.operations.straggling import LateHost, due_of, late_hosts, late_under

__all__ = [
    "STAGES",
    "BlastRadius",
    "Delivery",
    "DrillReport",
    "LateHost",
    "OrderPlan",
    "Pushes",
    "Seen",
    "SilentAddress",
    "SiteExercised",
    "SiteInReach",
    "SiteProgress",
    "StageReached",
    "WorkSeen",
    "appeal_standing",
    "draft_order",
    "drill_report",
    "due_of",
    "exercised_sites",
    "late_hosts",
    "late_under",
    "preview_order",
    "progress_by_site",
    "see_work",
]


def see_work(control: Control, now: Instant) -> Seen:
    """What every host's newest receipt says of its work."""
    newest = (control.leases.chain(host).last for host in control.desk.state.regime.hosts)
    return seen_of((receipt for receipt in newest if receipt is not None), now)
