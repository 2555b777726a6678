"""Leases that are carried by hand: what the host's side says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["MESSAGES"]

MESSAGES: Final[Mapping[str, tuple[str, str]]] = {
    "lease.granted": (
        "{file}: lease {number} of host {host}, until {until}. Carry it to the host: `sekisho lease accept`.",
        "{file}：ホスト {host} のリース第 {number} 号、{until} まで。ホストへ運び `sekisho lease accept` に渡してください。",
    ),
    "lease.none": ("No lease lives.", "有効なリースはありません。"),
    "lease.requested": (
        "{file}: host {host} asks for its lease {number}. Carry it to the issuer; its answer goes to `sekisho lease accept`.",
        "{file}：ホスト {host} はリース {number} を申請しています。発行者に届け、その回答を `sekisho lease accept` に渡してください。",
    ),
    "lease.no-request": (
        "{home}: this host asks for no lease now: it holds enough, has no licence, or its agent does not run.",
        "{home}：このホストは今リースを申請していません。手持ちが足りている、許可がない、またはエージェントが動いていません。",
    ),
    "lease.accepted": ("Lease {number} is in hand.", "リース {number} を受け取りました。"),
    "lease.items-taken": (
        "{count} new items were taken in.",
        "新しい項目を {count} 件取り込みました。",
    ),
    "lease.refused": (
        "Not taken ({count} items were taken in). Why:",
        "受け入れませんでした（取り込んだ項目は {count} 件）。理由：",
    ),
    "lease.dropped": (
        "The agent has not answered yet; {name} waits in its inbox and is taken in at its next start.",
        "エージェントはまだ回答していません。{name} は受信箱に残り、次の起動時に取り込まれます。",
    ),
    "lease.drawn": (
        "{file}: {count} codes, whole sha256 {digest}",
        "{file}：コード {count} 枚、全体の sha256 {digest}",
    ),
    "lease.joined": ("{file}: {size} bytes, whole.", "{file}：{size} バイト、欠けはありません。"),
    "lease.waiting-request": ("waiting for a request", "申請を待っています"),
    "lease.waiting-agent": ("waiting for the agent", "エージェントを待っています"),
}
