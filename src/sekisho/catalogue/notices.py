"""What people on call are told: one sentence for each event, where the facts stand beside it in their own fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["MESSAGES"]

MESSAGES: Final[Mapping[str, tuple[str, str]]] = {
    "notice.order-issued": (
        "order {order} is issued: {detail}; until {until}",
        "命令 {order} が発令されました：{detail}。期限 {until}",
    ),
    "notice.straggler": (
        "{count} hosts at {site} are late under order {order} ({detail}), due at {until}",
        "{site} の {count} 台が命令 {order} に遅れています（{detail}）。期限は {until} でした",
    ),
    "notice.step-due": (
        "{detail} may be taken against {count} hosts at {site} under order {order}, due by {until}",
        "命令 {order} により {site} の {count} 台に {detail} を講じることができます。{until} までに",
    ),
    "notice.step-overdue": (
        "{detail} against {count} hosts at {site} under order {order} is overdue since {until}",
        "命令 {order} による {site} の {count} 台への {detail} が {until} から遅れています",
    ),
    "notice.contradicted": (
        "{count} hosts at {site} say that they halted under order {order}, and an observer saw work",
        "{site} の {count} 台は命令 {order} により停止したと申告していますが、観測者は稼働を確認しました",
    ),
    "notice.verdict-lapsing": (
        "the verdict on {count} hosts at {site} under order {order} lapses at {until}",
        "命令 {order} に関する {site} の {count} 台の判定は {until} に失効します",
    ),
    "notice.appeal-filed": (
        "an appeal against order {order} is filed: {detail}",
        "命令 {order} に対する不服申立てがありました：{detail}",
    ),
    "notice.resume-overdue": (
        "order {order} still stands, its resume was due at {until}: {detail}",
        "命令 {order} はまだ効力があります。解除の期限は {until} でした：{detail}",
    ),
    "notice.hold-ending": ("hold {order} ends at {until}", "保留 {order} は {until} に終わります"),
    "notice.test": ("a test: nothing happened", "試験です。何も起きていません"),
}
