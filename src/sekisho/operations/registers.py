"""The registers' heartbeat: what is in force, said at least as often as the charter asks, and the ends of leases."""

from __future__ import annotations

from sekisho.model.instants import Instant
from sekisho.model.statements import OrdersInForce
from sekisho.operations.desk import Admitted, Desk
from sekisho.orders import in_force_root

__all__ = ["keep_registers"]


def keep_registers(desk: Desk, *, now: Instant | None = None) -> Admitted:
    """Log `orders-in-force` as of now: the heads of all registers and the orders in force of them."""
    with desk.lock:
        desk.settle()
        at = now or desk.clock.now()
        orders = desk.state.orders
        in_force = tuple(known.reference for known in orders.in_force(at))
        return desk.state_fact(
            OrdersInForce(
                effective=at,
                heads=tuple(orders.heads[name] for name in sorted(orders.heads)),
                in_force=in_force,
                root=in_force_root(in_force),
            )
        )
