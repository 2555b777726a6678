"""Wires the control plane: ports to adapters, operations to ports. Faces import this; it imports none of them."""

from sekisho.app.balances import RegisterBooks, open_books
from sekisho.app.control import Control
from sekisho.app.exporting import Exported, export_home_bundle
from sekisho.app.home import Elsewhere, Home, RegimeFile
from sekisho.app.order_push import OrderPush, PushState, load_push_file
from sekisho.app.papers import open_papers
from sekisho.app.register_upkeep import (
    check_home_register,
    opened_register,
    read_home_events,
    rebuild_home_register,
    write_home_terms,
)
from sekisho.app.rules import (
    KnownPack,
    PublicationPlan,
    RuleShelf,
    declared_requests,
    draft_publication,
    keep_pack,
)
from sekisho.app.upkeep import (
    Rebuilt,
    begin_log_rotation,
    check_home_projections,
    erase_disclosures,
    finish_log_rotation,
    rebuild_log,
    rebuild_projections,
    reveal_field,
)
from sekisho.operations.feed import FeedPage
from sekisho.operations.feed_page import encode_page
from sekisho.operations.projecting import Check, Mismatch
from sekisho.operations.projections import TABLES
from sekisho.operations.register.balancing import (
    AreaBook,
    ClosedArea,
    Draft,
    draft_statements,
)
from sekisho.operations.register.capturing import capture_id
from sekisho.operations.register.line import ErrorBehaviour
from sekisho.operations.register.papers import Found, Papers, Wanted
from sekisho.operations.register.producing import (
    CheckedProduction,
    draft_production,
    judge_productions,
)
from sekisho.operations.register.rebuilding import Checked

__all__ = [
    "TABLES",
    "AreaBook",
    "Check",
    "Checked",
    "CheckedProduction",
    "ClosedArea",
    "Control",
    "Draft",
    "Elsewhere",
    "ErrorBehaviour",
    "Exported",
    "FeedPage",
    "Found",
    "Home",
    "KnownPack",
    "Mismatch",
    "OrderPush",
    "Papers",
    "PublicationPlan",
    "PushState",
    "Rebuilt",
    "RegimeFile",
    "RegisterBooks",
    "RuleShelf",
    "Wanted",
    "begin_log_rotation",
    "capture_id",
    "check_home_projections",
    "check_home_register",
    "declared_requests",
    "draft_production",
    "draft_publication",
    "draft_statements",
    "encode_page",
    "erase_disclosures",
    "export_home_bundle",
    "finish_log_rotation",
    "judge_productions",
    "keep_pack",
    "load_push_file",
    "open_books",
    "open_papers",
    "opened_register",
    "read_home_events",
    "rebuild_home_register",
    "rebuild_log",
    "rebuild_projections",
    "reveal_field",
    "write_home_terms",
]
