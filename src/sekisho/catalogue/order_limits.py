"""Messages about the limits of orders: holds and their windows, caps, and how many keys an order takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["MESSAGES"]

MESSAGES: Final[Mapping[str, tuple[str, str]]] = {
    # --- documents in words
    "show.label.holds": ("limits of holds", "保留の限度"),
    "show.label.keys_asked": ("keys asked", "必要な鍵"),
    "show.charter.holds": (
        "not again within {again} of a hold's end; {hours} chip-hours a quarter",
        "終了から {again} 以内は再度不可、四半期に {hours} チップ時間まで",
    ),
    "show.charter.holds_unbounded": (
        "not again within {again} of a hold's end; chip-hours are NOT bounded",
        "終了から {again} 以内は再度不可。チップ時間の上限なし",
    ),
    "show.charter.keys_asked": (
        "{power}: {keys} keys of at least {owners} organisations",
        "{power}：鍵 {keys} 個、最少 {owners} 組織",
    ),
    "show.charter.keys_asked_uncounted": (
        "{power}: {keys} keys; organisations not counted",
        "{power}：鍵 {keys} 個、組織数は未計算",
    ),
    "show.warn.easier-than-resume": (
        "A false {power} takes {keys} stolen keys, lifting it {resume}: raise the quorum of {power}.",
        "偽の {power} は鍵 {keys} 個で足り、解除には {resume} 個が要ります。{power} の定足数を上げてください。",
    ),
    "show.warn.hold-limit": (
        "Under its own quorum alone this hold is refused: {why}. Have the pause quorum sign it as well.",
        "この保留は自らの定足数だけでは拒否されます：{why}。一時停止命令の定足数の署名も得てください。",
    ),
    # --- sekisho order holds
    "order.holds.window": (
        "{constituency} may not hold again before {until}: {register} {number}, {scope}, ended or ends {end}",
        "{constituency} は {until} まで再度の保留不可：{register} {number}、{scope}、終了 {end}",
    ),
    "order.holds.free": (
        "no window is open: every constituency may hold",
        "制限期間はありません：どの構成団体も保留できます",
    ),
    "order.holds.budget": (
        "{constituency}: {used} of {limit} chip-hours held since {since}, {left} left until {until}",
        "{constituency}：{since} 以降 {used}/{limit} チップ時間を使用、{until} まで残り {left}",
    ),
    "order.holds.unbounded": (
        "{constituency}: {used} chip-hours held since {since}; the charter sets no limit",
        "{constituency}：{since} 以降 {used} チップ時間を使用。憲章に上限の定めなし",
    ),
    # --- sekisho audit
    "audit.check.holds": (
        "Was each hold within its limits, none stacked on another?",
        "保留はどれも限度内で、重ねられていませんか",
    ),
    "audit.check.caps": (
        "Did capped hosts keep their caps, as far as meters tell?",
        "制限されたホストは、計測の限りで制限を守りましたか",
    ),
    # --- sekisho order status
    "show.stage.capped": ("capped", "制限済み"),
    "order.capped": (
        "  {host}: {stages}; slowed by {cap}",
        "  {host}：{stages}、減速の手段：{cap}",
    ),
}
