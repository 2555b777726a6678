"""Messages of metering a fleet: push tokens, and the console's page of telemetry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["MESSAGES"]

MESSAGES: Final[Mapping[str, tuple[str, str]]] = {
    # --- tokens on the command line
    "meter.token.made": (
        "pushes for {site} until {until}; shown once, kept as its digest only",
        "{site} の計測値を {until} まで送信できます。表示は一度だけで、保存されるのはダイジェストのみです",
    ),
    "meter.token.row": (
        "{digest}  {site}  until {until}",
        "{digest}  {site}  期限 {until}",
    ),
    "meter.token.revoked-row": (
        "{digest}  {site}  revoked (was until {until})",
        "{digest}  {site}  取り消し済み (期限は {until})",
    ),
    "meter.token.none": ("None.", "ありません。"),
    "meter.token.revoked": ("{digest}: revoked", "{digest}: 取り消しました"),
    # --- the console's page
    "web.nav.metering": ("Metering", "計測"),
    "web.metering.title": ("Metering", "計測"),
    "web.metering.why": (
        "what devices report, what they do not, and what nobody claims",
        "装置の報告、報告のない時間、割り当てのない時間",
    ),
    "web.metering.picture": ("Device time by site and day", "拠点と日ごとの装置時間"),
    "web.metering.picture.alt": (
        "{site}, {day}: measured {measured}, gap {gap}, unattributed {unattributed}",
        "{site}、{day}: 計測済み {measured}、欠測 {gap}、割り当てなし {unattributed}",
    ),
    "web.metering.site": ("Site", "拠点"),
    "web.metering.day": ("Day (UTC)", "日 (UTC)"),
    "web.metering.measured": ("Measured", "計測済み"),
    "web.metering.gap": ("Gap: not measured", "欠測: 計測なし"),
    "web.metering.unattributed": ("Unattributed", "割り当てなし"),
    "web.metering.hours": ("device hours", "装置時間 (h)"),
    "web.metering.legend": (
        "A gap is time of a job in which nothing was read: it is unknown, neither idle nor zero.",
        "欠測は、ジョブの実行中に計測値が得られなかった時間です。不明であり、アイドルでもゼロでもありません。",
    ),
    "web.metering.empty": (
        "No telemetry has been kept yet. The guide “Prometheus in five minutes” says how to send it.",
        "計測値はまだ保存されていません。送信の方法は、ガイド「5分で Prometheus をつなぐ」にあります。",
    ),
    "web.metering.unpictured": (
        "The picture is not drawn yet: what the store holds is unknown until then.",
        "まだ集計していません。それまで、保存された内容は不明です。",
    ),
    "web.metering.unavailable": (
        "Telemetry cannot be read: {why}",
        "計測値を読み取れません: {why}",
    ),
    "web.metering.asof": ("Pictured", "集計時刻"),
    "web.metering.devices": ("Devices", "装置"),
    "web.metering.devices.empty": (
        "No device has reported. That says nothing about what runs.",
        "報告した装置はありません。これは、何も動いていないという意味ではありません。",
    ),
    "web.metering.devices.more": ("and {count} more", "ほか {count} 台"),
    "web.metering.device": ("Device", "装置"),
    "web.metering.chip": ("Chip", "チップ"),
    "web.metering.host": ("Host", "ホスト"),
    "web.metering.last": ("Last reading", "最後の計測"),
    "web.metering.state": ("State", "状態"),
    "web.metering.state.reporting": ("Reporting", "報告中"),
    "web.metering.state.stale": ("Unknown: silent for {span}", "不明: {span} 報告なし"),
    "web.metering.state.never": ("Unknown: never read", "不明: 計測値なし"),
    "web.metering.not-stated": ("not stated", "記載なし"),
    "web.metering.counts": (
        "{reporting} reporting, {stale} silent, {never} never read",
        "報告中 {reporting}、報告なし {stale}、計測値なし {never}",
    ),
    "web.metering.gaps": (
        "{count} gaps in the last 24 hours, {span} of device time",
        "過去24時間の欠測 {count} 件、装置時間で {span}",
    ),
    "web.metering.intake": ("Taken and refused", "受理と拒否"),
    "web.metering.intake.since": ("since this server started", "このサーバーの起動以降"),
    "web.metering.taken": ("Samples taken", "受理した値"),
    "web.metering.passed-over": ("Passed over: not used in metering", "対象外: 計測に使わない値"),
    "web.metering.duplicates": ("Known already", "受信済みの値"),
    "web.metering.unreadable": ("Bodies that could not be read", "読み取れなかった本文"),
    "web.metering.refused": ("Refused", "拒否"),
    "web.metering.reason": ("Reason", "理由"),
    "web.metering.reason.blank": ("blank", "計測値なし"),
    "web.metering.reason.not a number": ("not a number", "数値ではない"),
    "web.metering.reason.negative": ("negative", "負の値"),
    "web.metering.reason.out of range": ("out of range", "範囲外"),
    "web.metering.reason.no time": ("no time", "時刻なし"),
    "web.metering.reason.too old": ("too old", "古すぎる"),
    "web.metering.reason.in the future": ("in the future", "未来の時刻"),
    "web.metering.reason.no device": ("no device", "装置名なし"),
    "web.metering.reason.unknown unit": ("unknown unit", "単位不明"),
    "web.metering.reason.too many series": ("too many series", "系列数の超過"),
    "web.metering.reason.malformed": ("malformed", "書式の誤り"),
    "web.metering.reason.unknown chip": ("unknown chip", "不明なチップ"),
    "web.metering.reason.no start": ("no start", "開始時刻なし"),
    "web.metering.reason.ends before it starts": ("ends before it starts", "開始より前に終了"),
    "web.metering.reason.no devices": ("no devices", "装置の記載なし"),
    "web.metering.count": ("Samples", "件数"),
    "web.metering.example": ("Latest example", "直近の例"),
    "web.metering.refused.none": ("Nothing was refused.", "拒否した値はありません。"),
    "web.metering.compaction": ("Compaction", "集約"),
    "web.metering.compaction.last": ("last run", "前回の実行"),
    "web.metering.compaction.never": ("has not run yet", "未実行"),
    "web.metering.compaction.lag": ("oldest waiting: {span}", "最も古い待ち: {span}"),
    "web.metering.compaction.unknown": ("how much waits is unknown", "待ちの量は不明です"),
}
