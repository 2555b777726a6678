"""What a fab made: wafers, yield, HBM, scrap, the EUV bound, the quota ledger. Pure."""

from sekisho.registry.production.account import (
    CHECKS,
    Check,
    CheckName,
    Tolerances,
    check_production,
)
from sekisho.registry.production.quota import (
    Account,
    Posting,
    Quota,
    QuotaState,
    parse_quotas,
    post_quota,
)
from sekisho.registry.production.report import (
    Production,
    Scrap,
    parse_production,
    parse_production_table,
)

__all__ = [
    "CHECKS",
    "Account",
    "Check",
    "CheckName",
    "Posting",
    "Production",
    "Quota",
    "QuotaState",
    "Scrap",
    "Tolerances",
    "check_production",
    "parse_production",
    "parse_production_table",
    "parse_quotas",
    "post_quota",
]
