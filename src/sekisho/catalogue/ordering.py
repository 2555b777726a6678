"""Messages about orders beyond their issue: sealed and opened, refused, appealed; and about access to models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["MESSAGES"]

MESSAGES: Final[Mapping[str, tuple[str, str]]] = {
    # --- documents in words
    "show.label.resolved": ("resolved", "該当"),
    "show.label.access": ("access", "アクセス"),
    "show.scope.or": ("; or ", "、または "),
    "show.scope.resolved": ("{predicate} (hosts: {count})", "{predicate}（ホスト {count} 台）"),
    "show.limb.is": ("{quantity} is {values}", "{quantity} が {values}"),
    "show.limb.is-not": ("{quantity} is not {values}", "{quantity} が {values} でない"),
    "show.limb.below": ("{quantity} below {values}", "{quantity} が {values} 未満"),
    "show.limb.at-least": ("{quantity} at least {values}", "{quantity} が {values} 以上"),
    "show.resolved": (
        "{count} hosts, root {root}, read in the tree of {size} entries, {tree}",
        "ホスト {count} 台、根 {root}、記録 {size} 件の木 {tree} で確認",
    ),
    "show.access": (
        "access ends to {models}, for {users}",
        "{models} の利用を停止、対象は {users}",
    ),
    "show.access.every-model": ("EVERY model", "すべてのモデル"),
    "show.access.everybody": ("EVERYBODY", "すべての利用者"),
    "show.access.nationalities": ("users of nationality {names}", "国籍 {names} の利用者"),
    "show.access.jurisdictions": ("users served in {names}", "提供先 {names} の利用者"),
    "show.access.unknown.refuse": (
        "users of whom nothing is known are refused",
        "不明な利用者は拒否",
    ),
    "show.access.unknown.serve": (
        "users of whom nothing is known are SERVED",
        "不明な利用者には提供を続ける",
    ),
    # --- the console: the log's entries in words
    "web.kind.order-sealed": ("Sealed order", "封印された命令"),
    "web.kind.order-opened": ("Order opened", "命令の開封"),
    "web.kind.refusal-recorded": ("Refusal", "不履行"),
    "web.kind.appeal-filed": ("Appeal", "不服申立て"),
    "web.kind.appeal-decided": ("Appeal decided", "不服申立ての裁決"),
    "web.kind.access-decided": ("Access roll-up", "アクセス集計"),
    "web.kind.weights-locked": ("Weights locked", "重みの施錠"),
    "web.kind.weights-key-released": ("Key released", "鍵の交付"),
    "web.says.order-sealed": (
        "A sealed {kind} is issued, {order}; it opens at {opens}.",
        "封印された {kind} を発出、{order}。開封は {opens}。",
    ),
    "web.says.order-opened": ("Sealed order {order} is opened.", "封印された命令 {order} を開封。"),
    "web.says.refusal-recorded": (
        '{host} does not follow order {order}: "{step}", answer due by {until}.',
        "{host} が命令 {order} に従わず：「{step}」、回答期限 {until}。",
    ),
    "web.says.appeal-filed": (
        "{party} appeals against order {order}: {asks}",
        "{party} が命令 {order} に不服を申立て：{asks}",
    ),
    "web.says.appeal-decided": (
        'Appeal {appeal} is decided, "{outcome}": {reasons}',
        "不服申立て {appeal} を裁決、「{outcome}」：{reasons}",
    ),
    "web.says.access-decided": (
        "{host} served {served} requests to {model} and refused {refused}.",
        "{host} がモデル {model} への要求 {served} 件に応じ、{refused} 件を拒否。",
    ),
    "web.says.weights-locked": (
        "{party} locks the weights of {model}.",
        "{party} がモデル {model} の重みを施錠。",
    ),
    "web.says.weights-key-released": (
        "The key of {model} is released to {host}.",
        "モデル {model} の鍵を {host} に交付。",
    ),
}
