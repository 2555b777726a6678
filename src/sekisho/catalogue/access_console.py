"""What the console says about access to models: suspensions, models by host, counts and what they may lack."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["MESSAGES"]

MESSAGES: Final[Mapping[str, tuple[str, str]]] = {
    "web.access": ("Access to models", "モデルの利用"),
    "web.access.suspended": ("Suspended now", "現在の利用停止"),
    "web.access.suspended.empty": (
        "No suspension of access is in force.",
        "効力のある利用停止命令はありません。",
    ),
    "web.access.suspended.how": (
        "A suspension acts once its witnesses have it, and ends with its resume. The provider tells classes, not the user.",
        "利用停止は証人の確認後に効力を持ち、解除命令で終わります。区分は利用者ではなく提供者が申告します。",
    ),
    "web.access.whose": ("Refused users", "拒否される利用者"),
    "web.access.models": ("Models", "モデル"),
    "web.access.since": ("Since", "開始"),
    "web.access.everybody": ("Everybody", "すべての利用者"),
    "web.access.every-model": ("Every model", "すべてのモデル"),
    "web.access.nationalities": ("nationality", "国籍"),
    "web.access.jurisdictions": ("served in", "提供先"),
    "web.access.unknown.refuse": ("unknown class: refused", "区分不明：拒否"),
    "web.access.unknown.serve": ("unknown class: served", "区分不明：提供"),
    "web.access.served": ("Models and where they are served", "モデルと提供場所"),
    "web.access.served.why": (
        "as the serving hosts state it, period by period",
        "提供ホストの期間ごとの申告による",
    ),
    "web.access.served.empty": (
        "No access point has stated a roll-up yet. What is served where is not measured.",
        "アクセス点からの集計はまだありません。どこで何が提供されているかは未計測です。",
    ),
    "web.access.model": ("Model", "モデル"),
    "web.access.now": ("Suspensions over it now", "現在の利用停止"),
    "web.access.no-order": ("none", "なし"),
    "web.access.period": ("Newest period", "最新の期間"),
    "web.access.lasting": ("for {length}", "{length}間"),
    "web.access.roll-up": ("roll-up", "集計"),
    "web.access.under": ("under", "対象の命令"),
    "web.access.late": ("Nothing stated since", "以後の申告なし"),
    "web.access.state.open": ("Open", "制限なし"),
    "web.access.state.restricted": ("Restricted", "一部制限"),
    "web.access.state.closed": ("Closed", "停止"),
    "web.access.counted": ("Requests", "要求"),
    "web.access.counts": (
        "{served} served, {refused} refused",
        "提供 {served} 件、拒否 {refused} 件",
    ),
    "web.access.not-measured": ("not measured", "未計測"),
    "web.access.error.whole": (
        "by {workers} workers, none silent",
        "ワーカー {workers} 件、沈黙なし",
    ),
    "web.access.error.silent": (
        "at least: {silent} of {workers} workers fell silent, up to {lost} s of the counts of each are lost",
        "下限値：ワーカー {workers} 件中 {silent} 件が沈黙、それぞれ最大 {lost} 秒分の計数が欠落",
    ),
    "web.access.error.unsaid": (
        "how many workers told is not said",
        "申告したワーカーの数は不明",
    ),
    "web.access.error.nobody": (
        "no worker told of this period; it is not zero",
        "この期間を申告したワーカーがありません。ゼロではありません",
    ),
    "web.access.error": (
        "Error: a worker that is killed loses up to {lost} s of its counts; its period says so.",
        "誤差：強制終了したワーカーは最大 {lost} 秒分の計数を失います。その期間に表示されます。",
    ),
    "web.access.by-class": (
        "Requests are counted by model and period, never by class or user: refusals per class are not measured.",
        "要求はモデルと期間ごとに数え、区分や利用者ごとには数えません。区分ごとの拒否数は未計測です。",
    ),
    "web.access.newest-only": (
        "Only the newest {n} roll-ups are counted here; the 24 hours may be short of more.",
        "ここでは最新の集計 {n} 件だけを数えています。24 時間分に満たない場合があります。",
    ),
    "web.access.day": ("Last 24 hours", "直近 24 時間"),
    "web.access.day.of": ("in {told} periods", "{told} 期間の合計"),
    "web.access.day.silent": (
        "(at least: {n} with a silent worker)",
        "（下限値：{n} 期間で沈黙あり）",
    ),
    "web.access.day.unmeasured": ("in {n} periods", "{n} 期間"),
    "web.access.more": (
        "{n} more are not shown; they stand in the log.",
        "ほかに {n} 件あります。ログで確認できます。",
    ),
}
