"""A real agent that refuses: it takes leases, meters and signs as ours does, and follows no order that it hears.

`python -m tests.rehearsal.refusing_agent --home DIR`: what an operator would run who edits the agent on his own host.
"""

from __future__ import annotations

import sys

from sekisho.agent.demands import Demands
from sekisho.agent.main import main
from sekisho.orders import Demand, KnownOrder

__all__: list[str] = []


def follow_nothing(demands: Demands) -> tuple[Demand, tuple[KnownOrder, ...]]:
    """Whatever is in force asks nothing of this host."""
    del demands
    return Demand(), ()


if __name__ == "__main__":
    # The one line that such an operator changes.
    setattr(Demands, "demand", follow_nothing)  # noqa: B010  # a method is not assigned to otherwise
    sys.exit(main())
