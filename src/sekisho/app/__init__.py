"""Wires the control plane: ports to adapters, operations to ports. Faces import this; it imports none of them."""

from sekisho.app.control import Control
from sekisho.app.home import Elsewhere, Home, RegimeFile
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
from sekisho.operations.projecting import Check, Mismatch
from sekisho.operations.projections import TABLES

__all__ = [
    "TABLES",
    "Check",
    "Control",
    "Elsewhere",
    "Home",
    "Mismatch",
    "Rebuilt",
    "RegimeFile",
    "begin_log_rotation",
    "check_home_projections",
    "erase_disclosures",
    "finish_log_rotation",
    "rebuild_log",
    "rebuild_projections",
    "reveal_field",
]
