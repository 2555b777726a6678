"""Orders whose scope is a predicate: a desk with some hosts, and orders resolved on it as drafters do."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from sekisho.model.statements import EnrolledDevice, OrderIssued, ResolvedScope, Scope
from sekisho.operations.resolving import resolve_predicate
from sekisho.orders.where import parse_where
from sekisho.signing import Envelope
from sekisho.signing.keys import Signer
from tests import factory as f
from tests.desks import TestDesk

__all__ = ["QUORUM", "ScopedDesk", "enrol", "resolved"]

QUORUM: tuple[Signer, ...] = (*f.AUTHORITY[:3], f.VERIFIER[0])


def enrol(desk: TestDesk, host: str, *, chip: str = "host CPU", devices: int = 1) -> None:
    """One more host with so many devices of one chip."""
    each = EnrolledDevice(
        device=f"{host}/device-0", chip=chip, peak_flop_per_s="1000000000", basis="declared"
    )
    enrolled = msgspec.structs.replace(
        f.host_enrolled(host, of=f.signer(host), now=desk.clock.now()),
        devices=tuple(
            msgspec.structs.replace(each, device=f"{host}/device-{n}") for n in range(devices)
        ),
    )
    desk.desk.admit(f.signed(enrolled, f.AUTHORITY[0], f.OPERATOR).raw)


def resolved(desk: TestDesk, where: Sequence[str], *, size: int | None = None) -> ResolvedScope:
    """A predicate as a drafter resolves it, in the log's newest tree or an earlier one."""
    state, at = desk.desk.state, desk.desk.state.size if size is None else size
    tree = desk.sequencer.root_at(at).hex()
    return resolve_predicate(state.rosters, parse_where(where), size=at, tree=tree)


class ScopedDesk(TestDesk):
    """host-1 has one CPU; host-2 and host-3 have eight and four of another chip."""

    __test__ = False

    def founded(self) -> ScopedDesk:
        enrol(self, "host-2", chip="H100 SXM5", devices=8)
        enrol(self, "host-3", chip="H100 SXM5", devices=4)
        return self

    def order(self, where: Sequence[str] = ("devices at-least 8",), **changes: object) -> Envelope:
        """A pause next in its register for whom the predicate names, signed by its quorum."""
        scope = changes.pop("resolved", None)
        fields = {
            "charter_digest": self.charter_envelope.digest,
            "now": self.clock.now(),
            **changes,
        }
        order = f.order_issued(**fields)  # type: ignore[arg-type]  # a test's own fields
        given = scope if isinstance(scope, ResolvedScope) else resolved(self, where)
        plain = changes.get("scope")
        return f.signed(
            msgspec.structs.replace(
                order, resolved=given, scope=plain if isinstance(plain, Scope) else Scope()
            ),
            *QUORUM,
        )

    def issue(self, envelope: Envelope) -> OrderIssued:
        """The order once it is in the log."""
        self.desk.admit(envelope.raw)
        found = self.desk.find(envelope.digest)
        if found is None or not isinstance(found.verified.predicate, OrderIssued):
            raise AssertionError("the desk took no order")
        return found.verified.predicate
