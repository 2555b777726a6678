"""Messages about sealed orders: what is shown of them, to whom, and when they open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["MESSAGES"]

MESSAGES: Final[Mapping[str, tuple[str, str]]] = {
    "show.kind.sealed": ("SEALED {kind}", "封印された{kind}"),
    "show.label.sealed": ("sealed", "封印"),
    "show.sealed.opens": (
        "hosts in scope are shown it now, everybody {at}; its tree of hosts has {leaves} leaves",
        "対象ホストには直ちに、全員には {at} に開示。ホストの木の葉は {leaves} 枚",
    ),
    "show.warn.sealed": (
        "what it says is not at hand: DO NOT SIGN what you cannot read (its drafter has F.sealed.json)",
        "内容が手元にない。読めないものに署名しないこと（起案者が F.sealed.json を持つ）",
    ),
    "show.warn.seal-differs": (
        "what was shown is not what is sealed: {why}",
        "示された内容が封印されたものと一致しない：{why}",
    ),
    "order.sealed.kept": (
        "what it conceals is in {file}: hand it to its signers only",
        "秘匿部分は {file} にある。署名者だけに渡すこと",
    ),
    "order.line.sealed": (
        "{register} {number}: SEALED {kind} until {until}, opens {opens}; digest {digest}",
        "{register} {number}：封印された{kind}、{until} まで、開封 {opens}。ダイジェスト {digest}",
    ),
    "web.order.sealed.short": ("sealed: not shown here", "封印：ここでは非公開"),
    "web.order.sealed.label": ("What it says", "内容"),
    "web.order.sealed": (
        "Sealed: hosts in its scope were shown it, everybody is at {at}.",
        "封印中。対象ホストには開示済み、全員への開示は {at}。",
    ),
    "audit.check.sealed": (
        "Was each sealed order opened in time, and was it what was sealed?",
        "封印された命令は期限までに開封され、内容は封印されたものですか",
    ),
}
