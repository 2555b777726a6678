"""Messages about orders whose scope is a predicate that was resolved to hosts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["MESSAGES"]

MESSAGES: Final[Mapping[str, tuple[str, str]]] = {
    "show.label.named": ("names", "対象ホスト"),
    "show.named": ("{host}: {why}", "{host}：{why}"),
    "show.named.unknown": (
        "{host}: {why}; nothing is known of {unknown}, which counts as holding",
        "{host}：{why}。{unknown} は不明のため、該当とみなす",
    ),
    "show.named.more": ("and {count} more", "ほか {count} 台"),
    "show.warn.scope-unchecked": (
        "without the log nobody can tell here which hosts the predicate names",
        "記録がないため、条件に該当するホストをここで確かめられない",
    ),
    "show.warn.scope-differs": (
        "its scope is not what your own copy of the log gives: {why}",
        "適用範囲が手元の記録の写しと一致しない：{why}",
    ),
    "show.warn.scope-newcomers": (
        "{count} hosts named now were not in the tree of {size}; the order is not for them: {names}",
        "条件に今は該当するホストのうち {count} 台は、記録 {size} 件の木にはなかった。命令の対象外：{names}",
    ),
    "audit.check.order-scopes": (
        "Does each predicate name the hosts that were signed?",
        "条件は署名されたホストを指していますか",
    ),
    "order.proved.in": (
        "{file}: the order, and the proof that {host} is in its scope",
        "{file}：命令と、{host} が対象であることの証明",
    ),
    "order.proved.out": (
        "{file}: the order, and the proof that {host} is not in its scope",
        "{file}：命令と、{host} が対象でないことの証明",
    ),
    "web.order.predicate": ("predicate", "条件"),
    "web.order.or": ("or", "または"),
    "web.order.and": ("and", "かつ"),
    "web.limb.is": ("{quantity} is {values}", "{quantity} が {values}"),
    "web.limb.is-not": ("{quantity} is not {values}", "{quantity} が {values} でない"),
    "web.limb.below": ("{quantity} below {values}", "{quantity} が {values} 未満"),
    "web.limb.at-least": ("{quantity} at least {values}", "{quantity} が {values} 以上"),
    "web.order.named": ("hosts named", "対象ホスト"),
    "web.order.resolved": (
        "{count} hosts, as the log stood at {size} entries",
        "記録 {size} 件の時点で {count} 台",
    ),
    "web.order.named.unknown": (
        "root and count are not those of the predicate: nobody knows for whom it is",
        "根と台数が条件と一致せず、対象が不明",
    ),
}
