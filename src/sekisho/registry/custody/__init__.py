"""Who answers for a chip, where it is and in what state, at every (at, as_of): decided event by event. Pure."""

from sekisho.registry.custody.acts import Act, act_of
from sekisho.registry.custody.book import (
    Alert,
    AlertCode,
    Book,
    Captured,
    Outcome,
    Taking,
    Touch,
    TouchRole,
)
from sekisho.registry.custody.folding import Path, path_of, position_at
from sekisho.registry.custody.life import LIFE, Passage, life_table
from sekisho.registry.custody.memory import MemoryBook
from sekisho.registry.custody.movements import open_chips, overdue
from sekisho.registry.custody.reference import check_character, derive_reference, is_reference
from sekisho.registry.custody.taking import take

__all__ = [
    "LIFE",
    "Act",
    "Alert",
    "AlertCode",
    "Book",
    "Captured",
    "MemoryBook",
    "Outcome",
    "Passage",
    "Path",
    "Taking",
    "Touch",
    "TouchRole",
    "act_of",
    "check_character",
    "derive_reference",
    "is_reference",
    "life_table",
    "open_chips",
    "overdue",
    "path_of",
    "position_at",
    "take",
]
