"""What a refused user is told: problem+json in English and Japanese, with the order, its legal basis and the appeal.

451 (RFC 7725) where a legal demand is the reason, 503 where nobody can tell, 404 for a model that is not declared.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from sekisho.access.picture import AccessCode, AccessDecision
from sekisho.catalogue import Language, say

__all__ = ["PROBLEM_TYPE", "STATUS", "Refusal", "close_reason", "problem_of", "refusal_bytes"]

PROBLEM_TYPE: Final = "application/problem+json"
STATUS: Final[Mapping[AccessCode, int]] = {
    "served": 200,
    "access-suspended": 451,
    "licence-not-in-force": 451,
    "key-withdrawn": 451,
    "picture-stale": 503,
    "order-outstanding": 503,
    "model-not-served": 404,
}
RETRY_AFTER_S: Final = 30
_LANGUAGES: Final[tuple[Language, ...]] = ("en", "ja")


class OrderTold(msgspec.Struct, frozen=True, kw_only=True):
    """An order as a refused user needs it: which, on what basis, how to appeal, until when."""

    register: str
    number: int
    digest: str
    legal_basis: str
    appeal: str
    expires: str


class Refusal(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """RFC 9457's members, a stable `code`, the same in Japanese, and the orders."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    title_ja: str
    detail_ja: str
    model: str
    orders: tuple[OrderTold, ...] = ()


def problem_of(decision: AccessDecision) -> Refusal:
    """What to tell about a refusal; nothing about who asked."""
    titles = [say(f"access.title.{decision.code}", language) for language in _LANGUAGES]
    details = [_detail(decision, language) for language in _LANGUAGES]
    return Refusal(
        type=f"urn:sekisho:problem:{decision.code}",
        title=titles[0],
        status=STATUS[decision.code],
        code=decision.code,
        detail=details[0],
        title_ja=titles[1],
        detail_ja=details[1],
        model=decision.model,
        orders=tuple(
            OrderTold(
                register=each.order.register,
                number=each.order.number,
                digest=each.order.digest,
                legal_basis=each.legal_basis,
                appeal=each.appeal,
                expires=str(each.expires),
            )
            for each in decision.orders
        ),
    )


def refusal_bytes(decision: AccessDecision) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Status, headers and body of a refusal."""
    body = msgspec.json.encode(problem_of(decision))
    status = STATUS[decision.code]
    headers = [
        (b"content-type", PROBLEM_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"content-language", b"en, ja"),
    ]
    if status == 503:
        headers.append((b"retry-after", str(RETRY_AFTER_S).encode()))
    return status, headers, body


def close_reason(decision: AccessDecision) -> str:
    """The reason of a WebSocket's closing frame: 123 bytes at most."""
    orders = ", ".join(f"{each.order.register} {each.order.number}" for each in decision.orders)
    text = f"{decision.code}: {orders}" if orders else decision.code
    return text.encode()[:120].decode("utf-8", "ignore")


def _detail(decision: AccessDecision, language: Language) -> str:
    first = decision.orders[0] if decision.orders else None
    return say(
        f"access.detail.{decision.code}",
        language,
        model=decision.model,
        order=f"{first.order.register} {first.order.number}" if first else "",
        basis=first.legal_basis if first else "",
        appeal=first.appeal if first else "",
    )
