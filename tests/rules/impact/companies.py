"""Companies that ask: their answers, as parsed, and the day they ask on."""

from __future__ import annotations

from functools import lru_cache

from sekisho.model.instants import Instant
from sekisho.rules import Pack
from sekisho.rules.impact import Answer, Answers, packs_at_hand

__all__ = ["AT", "SALT", "exporter", "host", "maker", "packs", "provider", "signed_answers"]

AT = Instant.parse("2026-08-01T00:00:00Z")
SALT = "5a" * 16


@lru_cache(maxsize=1)
def packs() -> tuple[Pack, ...]:
    """Every shipped pack that an impact is asked of."""
    return packs_at_hand()


def maker(**changes: Answer) -> dict[str, Answer]:
    """A small manufacturer in Japan: 8 H100 of a cloud, 30 days, fine-tuning a public model, no export."""
    return {
        "name": "桜部品株式会社",
        "country": "JP",
        "revenue": "under-10m",
        "use": "fine-tune",
        "compute": "cloud",
        "cloud": "Example Cloud",
        "chips_in": "JP",
        "chip": "NVIDIA H100 SXM5 80GB",
        "chip_count": "8",
        "networked": True,
        "hours": "720",
        "base_other": True,
        "base_flop": "38000000000000000000000000",
        "generates": True,
        "purpose": ("commercial", "training"),
        "markets": ("JP",),
        "exports": False,
        "offers_cloud": False,
        "hosts_models": False,
        "parent_in": "JP",
        "own_listed": False,
        "listed_owner_share": "0",
        **changes,
    }


def exporter(**changes: Answer) -> dict[str, Answer]:
    """A company in Japan that ships servers with eight H100 each to China, to an end user that it knows."""
    shipping: dict[str, Answer] = {
        "use": "services",
        "exports": True,
        "export_items": ("servers",),
        "export_to": ("CN",),
        "export_chip": "H100 SXM5",
        "chips_each": "8",
        "export_count": "10",
        "list_controlled": False,
        "end_user_known": True,
        "end_user_headquarters": ("CN",),
        "end_user_listed": False,
        "end_user_listed_share": "0",
        "arms_end_user": False,
        "red_flags_resolved": True,
        "end_use": ("commercial",),
    }
    return maker(**{**shipping, **changes})


def provider(**changes: Answer) -> dict[str, Answer]:
    """A company in Japan that rents its chips to customers of Japan."""
    renting: dict[str, Answer] = {
        "use": "services",
        "offers_cloud": True,
        "cloud_in": "JP",
        "customers_headquarters": ("JP",),
        "customers_listed": False,
        "customers_listed_share": "0",
        "offers_prc_chips": False,
        "customers_flop": "0",
        "customers_use": ("commercial",),
    }
    return maker(**{**renting, **changes})


def host(**changes: Answer) -> dict[str, Answer]:
    """A company in Japan that lets companies in Japan use a model."""
    hosting: dict[str, Answer] = {
        "use": "services",
        "hosts_models": True,
        "hosted_flop": "100000000000000000000000",
        "users_in": ("JP",),
        "user_class": ("enterprise",),
        "gives_weights": False,
    }
    return maker(**{**hosting, **changes})


def signed_answers(given: dict[str, Answer]) -> Answers:
    """The answers with a salt, as they are when somebody signs."""
    return Answers(given=given, salt=SALT)
