"""Wires what a key holder does on a machine of their own: read a log, draft, look, sign, hand in.

`cli` imports this where `app` would be too much: the base installation has neither SQLAlchemy nor Litestar.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from sekisho.adapters.clocks import SystemClock
from sekisho.adapters.durable_files import replace_file
from sekisho.adapters.keys import Algorithm, create_signer, load_signer
from sekisho.adapters.keys.deposit_keys import (
    ShamirSharing,
    create_deposit_key,
    load_deposit_key,
)
from sekisho.adapters.keys.elsewhere import MadeElsewhere
from sekisho.adapters.keys.secret_files import create_secret_file, load_secret_file
from sekisho.adapters.keys.tag_keys import create_tag_key
from sekisho.adapters.storage.event_cursor import (
    EventCursor,
    load_event_cursor,
    save_event_cursor,
)
from sekisho.adapters.storage.file_tiles import FileTileStore
from sekisho.adapters.transport.event_sinks import EventSink, open_event_sink
from sekisho.ledger import Cosigned, LogReader
from sekisho.ledger.tree import subtree_root
from sekisho.licensing.terms import grants_more
from sekisho.model.errors import InvalidInput, StateConflict, Unavailable
from sekisho.model.wire import from_json, parse_json
from sekisho.operations.amending import (
    AmendmentPlan,
    KeyChange,
    draft_amendment,
    find_key,
    parse_quorums,
    verify_draft,
)
from sekisho.operations.appealing import (
    AppealPlan,
    DecisionPlan,
    appeal_standing,
    draft_appeal,
    draft_decision,
    party_under,
)
from sekisho.operations.blast_radius import (
    BlastRadius,
    HostInReach,
    Seen,
    preview_order,
    seen_of,
)
from sekisho.operations.countersigning import (
    KeyWithoutPower,
    power_for,
    verify_countersign,
    verify_document,
    verify_succession,
)
from sekisho.operations.delivery import Delivery
from sekisho.operations.difference import (
    Change,
    OrderDifference,
    check_licence,
    compare_charter,
    compare_order,
)
from sekisho.operations.disclosing import (
    MAX_REVEAL,
    Concealed,
    RevealVerdict,
    find_concealed,
    judge_reveal,
    parse_reveal,
)
from sekisho.operations.drilling import (
    DrillReport,
    SiteDrill,
    SiteExercised,
    drill_report,
    exercised_sites,
)
from sekisho.operations.footing import Footing, ForeignDocument
from sekisho.operations.founding import (
    FoundingPlan,
    WitnessPlan,
    approvals_asked,
    draft_founding,
    refuse_idle,
)
from sekisho.operations.holding import HoldStanding, check_hold_limits, standing_of_holds
from sekisho.operations.key_care import (
    DoubtfulStatement,
    KeyStanding,
    doubt_of,
    draft_compromise,
    draft_confirmation,
    draft_drill,
    draft_withdrawal,
    key_standings,
    last_drill,
    lost_powers,
    weigh_compromise,
)
from sekisho.operations.ladder_admission import check_appeal
from sekisho.operations.ladder_admission import check_refusal as check_step_now
from sekisho.operations.licence_checks import MAX_OUTAGE_S, check_licence_amendment
from sekisho.operations.licence_drafts import (
    AmendedTerms,
    AnswerPlan,
    ApplicationPlan,
    OutagePlan,
    draft_application,
    draft_approval,
    draft_licence_amendment,
    draft_licence_revocation,
    draft_outage,
    draft_suspension,
    find_application,
    find_licence,
)
from sekisho.operations.licence_terms import standing_of_application
from sekisho.operations.log_events import LogEvent, Severity, event_of
from sekisho.operations.ordering import OrderPlan, draft_order
from sekisho.operations.reading import claimed_origin, read_state
from sekisho.operations.recovering import (
    draft_announcement,
    draft_recovery,
    draft_veto,
    find_announcement,
    notice_end,
    problems_of_announcement,
    problems_of_veto,
    require_announcement,
)
from sekisho.operations.register.verifying import seen_in_entries, seen_in_log
from sekisho.operations.releasing import (
    Expression,
    HostRelease,
    draft_release,
    express_quorum,
    releases_of_hosts,
)
from sekisho.operations.resolving import (
    RootAt,
    name_at,
    name_newcomers,
    resolve_predicate,
    verify_scope,
    verify_tree,
)
from sekisho.operations.running import LicencePlan, RunRefused, decide_run, draft_licence
from sekisho.operations.sealing import seal_order, shown_to
from sekisho.operations.sentences import say_entry, say_kind
from sekisho.operations.site_progress import SiteProgress, progress_by_site
from sekisho.operations.state import State, facts_under
from sekisho.operations.straggling import (
    LateHost,
    RefusalPlan,
    draft_refusal,
    due_of,
    late_hosts,
    late_under,
)
from sekisho.operations.verified_entries import VerifiedEntries
from sekisho.orders.sealed import OPEN_LIMIT_S, Salts
from sekisho.ports.tile_store import NotStored, TileStore
from sekisho.signing import Signer, TrustRoot
from sekisho.signing.profiles import constituencies_of

if TYPE_CHECKING:
    from types import ModuleType

    from sekisho.adapters.storage.release_repository import (
        ReleaseRepository as ReleaseRepository,  # noqa: PLC0414  # for the types of cli
    )
    from sekisho.adapters.transport.register_client import RegisterClient
    from sekisho.model.sheets import Sheet
    from sekisho.ports.control import LeaseAnswer

__all__ = [
    "MAX_OUTAGE_S",
    "MAX_REVEAL",
    "OPEN_LIMIT_S",
    "Algorithm",
    "AmendedTerms",
    "AmendmentPlan",
    "AnswerPlan",
    "AppealPlan",
    "ApplicationPlan",
    "BlastRadius",
    "Change",
    "Concealed",
    "DecisionPlan",
    "Delivery",
    "DoubtfulStatement",
    "DrillReport",
    "EventCursor",
    "EventSink",
    "Expression",
    "Footing",
    "ForeignDocument",
    "FoundingPlan",
    "HoldStanding",
    "HostInReach",
    "HostRelease",
    "KeyChange",
    "KeyStanding",
    "KeyWithoutPower",
    "LateHost",
    "LicencePlan",
    "LogEvent",
    "MadeElsewhere",
    "OrderDifference",
    "OrderPlan",
    "OutagePlan",
    "PublicLog",
    "RefusalPlan",
    "RevealVerdict",
    "RunRefused",
    "Seen",
    "Severity",
    "ShamirSharing",
    "SiteDrill",
    "SiteExercised",
    "SiteProgress",
    "State",
    "SystemClock",
    "VerifiedEntries",
    "WitnessPlan",
    "appeal_standing",
    "approvals_asked",
    "ask_lease",
    "check_appeal",
    "check_hold_limits",
    "check_licence",
    "check_licence_amendment",
    "check_step_now",
    "claimed_origin",
    "compare_charter",
    "compare_order",
    "constituencies_of",
    "create_deposit_key",
    "create_file",
    "create_hsm_signer",
    "create_secret_file",
    "create_signer",
    "create_tag_key",
    "decide_run",
    "doubt_of",
    "draft_amendment",
    "draft_announcement",
    "draft_appeal",
    "draft_application",
    "draft_approval",
    "draft_compromise",
    "draft_confirmation",
    "draft_decision",
    "draft_drill",
    "draft_founding",
    "draft_licence",
    "draft_licence_amendment",
    "draft_licence_revocation",
    "draft_order",
    "draft_outage",
    "draft_recovery",
    "draft_refusal",
    "draft_release",
    "draft_suspension",
    "draft_veto",
    "draft_withdrawal",
    "draw_salts",
    "drill_report",
    "due_of",
    "event_of",
    "exercised_sites",
    "express_quorum",
    "facts_under",
    "fetch_delivery",
    "find_announcement",
    "find_application",
    "find_concealed",
    "find_key",
    "find_licence",
    "grants_more",
    "judge_reveal",
    "key_standings",
    "last_drill",
    "late_hosts",
    "late_under",
    "load_deposit_key",
    "load_disclosures",
    "load_event_cursor",
    "load_secret_file",
    "load_seen",
    "load_signer",
    "lost_powers",
    "name_at",
    "name_newcomers",
    "notice_end",
    "open_event_sink",
    "open_hsm",
    "open_log",
    "open_register_client",
    "open_release_repository",
    "parse_quorums",
    "parse_reveal",
    "party_under",
    "power_for",
    "preview_order",
    "print_paper",
    "problems_of_announcement",
    "problems_of_veto",
    "progress_by_site",
    "read_log",
    "refuse_idle",
    "releases_of_hosts",
    "replace_file",
    "require_announcement",
    "resolve_predicate",
    "save_event_cursor",
    "say_entry",
    "say_kind",
    "seal_order",
    "seen_in_entries",
    "seen_in_log",
    "seen_of",
    "send_statement",
    "shown_to",
    "standing_of_application",
    "standing_of_holds",
    "verify_countersign",
    "verify_document",
    "verify_draft",
    "verify_scope",
    "verify_succession",
    "verify_tree",
    "weigh_compromise",
]

# Where a log's files lie below what people name: the log itself, a bundle or a server, a home.
_BELOW = ("", "log", "public/log")
_MAX_DISCLOSURES = 64 * 1024 * 1024
_MAX_WORK = 8 * 1024 * 1024


class PublicLog(msgspec.Struct, frozen=True, kw_only=True):
    """A log that was read and checked whole: what it says, and the witnessed checkpoint that it was read under."""

    state: State
    cosigned: Cosigned
    root_at: RootAt | None = None


def open_log(place: str) -> TileStore:
    """The files of a log: a folder with `checkpoint` in it, a bundle, a home, or an address (https, or this machine).

    Raises InvalidInput where nothing like a log is there, Unavailable where an address does not answer.
    """
    if "://" in place:
        from sekisho.adapters.transport.http_tiles import HttpTileStore

        below: list[TileStore] = [HttpTileStore(f"{place.rstrip('/')}/{n}") for n in _BELOW[:2]]
    else:
        below = [FileTileStore(Path(place).expanduser() / name) for name in _BELOW]
    found = next((store for store in below if store.exists("checkpoint")), None)
    if found is None:
        raise InvalidInput(
            "there is no log here (no file `checkpoint`)",
            path=place[:200],
            remedy="name the folder or address with `checkpoint` and `tile/` in it",
        )
    return found


def read_log(
    store: TileStore, root: TrustRoot, disclosures: Mapping[str, tuple[str, ...]] | None = None
) -> PublicLog:
    """Read and check a whole public log under a trust root; raises what `read_state` raises."""
    state, cosigned = read_state(store, root, disclosures)
    tree = LogReader(store).tree(cosigned.checkpoint)

    def root_at(size: int) -> bytes:
        return subtree_root(0, size, tree.node)

    return PublicLog(state=state, cosigned=cosigned, root_at=root_at)


def open_register_client(url: str) -> RegisterClient:
    """A register of chips at an address: for firms that send documents, and have no server's libraries."""
    from sekisho.adapters.transport.register_client import RegisterClient

    return RegisterClient(url)


def load_seen(place: str) -> Seen:
    """What runs at which host: a file, or a control plane's word at its address (`/api/v1/work`).

    Raises InvalidInput, Unavailable where an address does not answer.
    """
    if "://" in place:
        data = _ask_control(place, "api/v1/work")
    else:
        with Path(place).open("rb") as stream:
            data = stream.read(_MAX_WORK + 1)
    return from_json(Seen, parse_json(data, path=place, limit=_MAX_WORK), path=place)


def fetch_delivery(control: str) -> Delivery:
    """How orders get to hosts, as a control plane tells it (`/api/v1/delivery`).

    Raises InvalidInput, Unavailable where the address does not answer.
    """
    data = _ask_control(control, "api/v1/delivery")
    return from_json(Delivery, parse_json(data, path=control, limit=_MAX_WORK), path=control)


def _ask_control(control: str, what: str) -> bytes:
    from sekisho.adapters.transport.http_tiles import HttpTileStore

    store = HttpTileStore(control)
    try:
        return store.read(what, _MAX_WORK)
    except NotStored:
        raise Unavailable(
            f"{control} does not tell /{what}", remedy="name the control plane's address"
        ) from None
    finally:
        store.close()


def load_disclosures(path: str) -> dict[str, tuple[str, ...]]:
    """A bundle's `disclosures.json`: disclosure texts by leaf digest."""
    with Path(path).open("rb") as stream:
        data = stream.read(_MAX_DISCLOSURES + 1)
    return from_json(
        dict[str, tuple[str, ...]], parse_json(data, path=path, limit=_MAX_DISCLOSURES), path=path
    )


def create_file(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Write a new file durably. Raises StateConflict where one is there: a draft never takes another's place.

    Raises InvalidInput where its folder is missing: a mistyped path makes no folders.
    """
    if not path.parent.is_dir():
        raise InvalidInput(
            f"there is no folder {path.parent}",
            path=str(path),
            remedy="make the folder first, or name a file in one that is there",
        )
    if path.exists() or path.is_symlink():
        raise StateConflict(f"{path}: a file is already there", remedy="name another file")
    replace_file(path, data, mode=mode)


def print_paper(sheet: Sheet) -> bytes:
    """The PDF of a sheet. Raises Unavailable where the extra `paper` or a font for it is missing."""
    from sekisho.adapters.paper import print_sheet

    return print_sheet(sheet)


def draw_salts() -> Salts:
    """What sealing an order draws."""
    return Salts(
        order=secrets.token_bytes(16), salt=secrets.token_bytes(16), hosts=secrets.token_bytes(32)
    )


def send_statement(
    control: str, envelope: bytes, disclosures: tuple[str, ...] = ()
) -> dict[str, object]:
    """Hand an envelope in at a control plane; where it now stands in the log, as the control plane says.

    With a sealed order go its disclosures.
    """
    from sekisho.adapters.transport.statement_desk import send_envelope

    placed = send_envelope(control, envelope, disclosures)
    return {
        "index": placed.index,
        "leaf": placed.leaf,
        "digest": placed.digest,
        "fresh": placed.fresh,
    }


def ask_lease(control: str, request: bytes) -> LeaseAnswer:
    """Hand a host's lease request in at its issuer; the lease and its proof in a witnessed checkpoint.

    Raises StateConflict with the reasons where it is refused, Unavailable where no answer came.
    """
    from sekisho.adapters.transport.control_client import ControlClient

    client = ControlClient(control)
    try:
        return client.send_request(request)
    finally:
        client.close()


def open_release_repository(folder: Path) -> ReleaseRepository:
    """A publisher's repository of releases. Raises InvalidInput where the extra `releases` is not installed."""
    try:
        from sekisho.adapters.storage.release_repository import ReleaseRepository
    except ImportError as error:
        raise InvalidInput(
            f"the package {error.name} is not installed",
            path=str(folder),
            remedy="pip install 'sekisho[releases]'",
        ) from None
    return ReleaseRepository(folder)


def open_hsm(place: str, *, library: str, ask_pin: Callable[[], str]) -> Signer:
    """The signer of a key on a token, as `hsm:TOKEN/ID`; raises what `open_hsm_key` raises."""
    hsm = _hsm_module(place)
    key = hsm.open_hsm_key(hsm.HsmAddress.from_text(place), library, ask_pin)
    signer: Signer = hsm.HsmSigner(key, ask_pin)
    return signer


def create_hsm_signer(
    place: str, *, library: str, algorithm: Algorithm, ask_pin: Callable[[], str]
) -> Signer:
    """Draw a key on a token, where it stays; raises what `create_hsm_key` raises."""
    if algorithm == "ed25519":
        raise InvalidInput(
            "a token draws ECDSA keys only", path="--algorithm", remedy="use p256 or p384"
        )
    hsm = _hsm_module(place)
    key = hsm.create_hsm_key(hsm.HsmAddress.from_text(place), library, algorithm, ask_pin)
    signer: Signer = hsm.HsmSigner(key, ask_pin)
    return signer


def _hsm_module(place: str) -> ModuleType:
    """The adapter, whose libraries only those have who have a token."""
    try:
        from sekisho.adapters.keys import hsm
    except ImportError as error:
        raise InvalidInput(
            f"the package {error.name} is not installed",
            path=place,
            remedy="pip install 'sekisho[hsm]'",
        ) from None
    return hsm
