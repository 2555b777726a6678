"""Access to served models: a picture of the orders in force, a gate before an inference server, weights under lock.

`AccessGate` is what a server mounts; `sekisho access serve` follows the regime and draws the picture that it goes by.
"""

from __future__ import annotations

from sekisho.access.asked import ModelInBody
from sekisho.access.gate import AccessGate, single_header
from sekisho.access.picture import (
    AccessDecision,
    AccessPicture,
    UserClass,
    decide_access,
)
from sekisho.access.source import PictureFile, PictureSource

__all__ = [
    "AccessDecision",
    "AccessGate",
    "AccessPicture",
    "ModelInBody",
    "PictureFile",
    "PictureSource",
    "UserClass",
    "decide_access",
    "single_header",
]
