"""Messages of the register on the command line: documents, custody, balances, production, inventories."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["MESSAGES"]

MESSAGES: Final[Mapping[str, tuple[str, str]]] = {
    "cli.command.registry": (
        "Keep chips in custody: EPCIS documents, passports, balances, production, inventories.",
        "チップの管理: EPCIS 文書、パスポート、収支、生産、在庫。",
    ),
}
