"""The overview as JSON: what `GET /api/v1/state` answers, from one look."""

from __future__ import annotations

from sekisho.licensing import LicenceState
from sekisho.model.amounts import format_flop
from sekisho.orders import KnownOrder
from sekisho.signing.phrase import digest_phrase
from sekisho.web.snapshot import Snapshot
from sekisho.web.standing import HostStanding, judge_host, judge_under
from sekisho.web.wire import (
    BooksView,
    HostView,
    LicenceView,
    LogView,
    OrderHostView,
    OrderView,
    StateView,
    WitnessView,
)

__all__ = ["view_state"]


def view_state(look: Snapshot) -> StateView:
    """Everything that the overview shows, at the instant of the look."""
    charter = look.regime.charter
    hosts = [judge_host(look, host) for row in look.sites.values() for host in row]
    in_force = {known.digest for known in look.in_force}
    return StateView(
        at=str(look.at),
        charter=charter.digest if charter else None,
        profile=charter.terms.profile if charter else None,
        log=_view_log(look),
        hosts=tuple(_view_host(standing) for standing in hosts),
        licences=tuple(_view_licence(state) for state in look.licences.licences.values()),
        orders=tuple(
            _view_order(look, known, in_force=known.digest in in_force) for known in look.all_orders
        ),
        findings=len(look.findings),
    )


def _view_log(look: Snapshot) -> LogView:
    tree = look.cosigned.checkpoint if look.cosigned else None
    times = look.cosigned.times if look.cosigned else {}
    return LogView(
        origin=look.origin,
        size=look.size,
        witnessed_size=tree.size if tree else None,
        witnessed_root=tree.root.hex() if tree else None,
        single_owner=look.single_owner,
        witnesses=tuple(
            WitnessView(
                name=w.name,
                owner=w.owner,
                cosigned=times.get(w.name),
                problem=look.problems.get(w.name, ""),
            )
            for w in look.witnesses
        ),
    )


def _view_host(standing: HostStanding) -> HostView:
    return HostView(
        host=standing.host.host,
        site=standing.host.site,
        standing=standing.word,
        emulated=standing.emulated,
        since=str(standing.since) if standing.since else None,
        until=str(standing.until) if standing.until else None,
    )


def _view_licence(state: LicenceState) -> LicenceView:
    licence, book = state.licence, state.book
    return LicenceView(
        number=licence.number,
        licensee=licence.licensee,
        run=licence.run,
        decision=licence.decision.decision,
        ends=str(licence.period.end),
        revoked=str(state.revoked) if state.revoked else None,
        books=BooksView(
            budget_flop=format_flop(book.budget),
            available_flop=format_flop(book.available),
            leased_flop=format_flop(book.leased),
            consumed_flop=format_flop(book.consumed),
            forfeited_flop=format_flop(book.forfeited),
            undisclosed=state.undisclosed,
        ),
    )


def _view_order(look: Snapshot, known: KnownOrder, *, in_force: bool) -> OrderView:
    order = known.order
    standings = [judge_under(look, known, host) for host in look.under(known)]
    return OrderView(
        register=order.register,
        number=order.number,
        digest=known.digest,
        phrase=digest_phrase(known.digest),
        kind=order.kind,
        effect=order.effect if known.is_shown else "sealed",
        drill=order.drill,
        in_force=in_force,
        expires=str(order.expires),
        on_expiry=order.on_expiry,
        opens=None if known.sealed is None or known.is_shown else str(known.sealed.opens),
        hosts=tuple(
            OrderHostView(host=s.host.host, standing=s.word, emulated=s.emulated) for s in standings
        )
        if order.kind != "resume"
        else (),
    )
