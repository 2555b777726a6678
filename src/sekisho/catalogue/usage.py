"""Accounts and usage reports: `show` of a report, `sekisho meter account`, `windows`, `report`, `export`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["MESSAGES"]

MESSAGES: Final[Mapping[str, tuple[str, str]]] = {
    # --- the statement in words
    "show.kind.usage-reported": ("Report of usage", "利用の報告"),
    "show.label.licensee": ("of", "対象者"),
    "show.label.roll_up": ("roll-up", "集計書"),
    "show.label.readings": ("readings", "計測記録"),
    "show.label.chains": ("receipts", "受領記録"),
    "show.usage.first": (
        "no other report of this licensee may overlap this period; a correction names this one's digest",
        "この対象者の報告は期間を重複できません。訂正はこの報告の要約値を示します",
    ),
    "show.usage.correction": (
        "takes the place of the report that it names; that one stays in the log",
        "示された報告に代わります。元の報告もログに残ります",
    ),
    # --- accounts
    "meter.account.bar": ("accounting", "集計中"),
    "meter.account.head": (
        "{unit} by {by}, {window}, {start} to {end}, counted by {counting}",
        "{by} 別の {unit}、{window}、{start} から {end} まで、計数規則 {counting}",
    ),
    "meter.account.nobody": ("(nobody is named)", "（名義なし）"),
    "meter.account.empty": (
        "nothing is known of this time: not measured, which is not zero; check --from, --to, --site and --store",
        "この期間の記録がありません。未計測であり、ゼロではありません。--from、--to、--site、--store を確認してください",
    ),
    "meter.account.at_most": ("at most {amount}", "上限 {amount}"),
    "meter.account.about": ("about {best} ({low} to {high})", "推定 {best}（{low}〜{high}）"),
    "meter.account.unmeasured": (
        "NOT MEASURED: {count} of {all} entries have no bound",
        "未計測：{all} 件中 {count} 件に上限なし",
    ),
    "meter.account.open": (
        "open record: {hours} chip-hours behind its last reading",
        "終了のない記録：最後の計測より後に {hours} チップ時間",
    ),
    "meter.account.unestimated": (
        "{share} of the time has no estimate",
        "時間の {share} は推定なし",
    ),
    "meter.account.peak": (
        "highest sliding sum ({reading}): {amount}, window ending {at}",
        "移動窓の最大（{reading}）：{amount}、{at} に終わる窓",
    ),
    "meter.account.up": (
        "met {threshold} at {at} ({reading}, {window})",
        "{at} に {threshold} に到達（{reading}、{window}）",
    ),
    "meter.account.down": (
        "below {threshold} again at {at} ({reading}, {window})",
        "{at} に {threshold} 未満に戻る（{reading}、{window}）",
    ),
    "meter.account.crossings_more": ("and {count} crossings more", "ほか {count} 件の交差"),
    "meter.account.sliding": ("sliding", "移動窓"),
    "meter.account.reading.bound": ("bound", "上限"),
    "meter.account.reading.estimate": ("estimate", "推定"),
    "meter.account.reading.declared": ("declared", "申告"),
    "meter.account.foreseen": (
        "{threshold}: {which} {outlook}{at}; rests on {grounds}",
        "{threshold}：{which} {outlook}{at}。根拠：{grounds}",
    ),
    "meter.account.foreseen.met": (
        "{threshold}: {which} {outlook}",
        "{threshold}：{which} {outlook}",
    ),
    "meter.account.earliest": ("at the earliest", "最も早くて"),
    "meter.account.expected": ("as expected", "見込みでは"),
    "meter.account.outlook.met": ("met already", "到達済み"),
    "meter.account.outlook.will be met": ("will be met", "到達見込み"),
    "meter.account.outlook.not within the horizon": (
        "not within the horizon",
        "期間内に到達しない",
    ),
    "meter.account.outlook.not measured": ("not measured", "未計測"),
    "meter.account.bad_row": ("line {line}: {error}", "{line} 行目：{error}"),
    "meter.account.corrected": (
        "CORRECTED: entry {entry} replaces {replaced}; bound {bound}, estimate {estimate}",
        "訂正：記帳 {entry} が {replaced} に代わる。上限 {bound}、推定 {estimate}",
    ),
    # --- reports
    "meter.report.plan.new": (
        "{licensee}: {jobs} jobs, at most {bound}",
        "{licensee}：ジョブ {jobs} 件、上限 {bound}",
    ),
    "meter.report.plan.unchanged": (
        "{licensee}: reported already, nothing changed",
        "{licensee}：報告済み、変更なし",
    ),
    "meter.report.plan.correction": (
        "{licensee}: CORRECTION, at most {before} -> {bound}",
        "{licensee}：訂正、上限 {before} → {bound}",
    ),
    "meter.report.lowers": ("  this LOWERS what was reported", "  報告済みの値を引き下げます"),
    "meter.report.party": ("  is {party}", "  実名：{party}"),
    "meter.report.nothing": (
        "nothing was measured on {day}: no device time is known",
        "{day} は未計測：装置時間の記録がありません",
    ),
    "meter.report.shown": (
        "nothing is stated yet: add --yes to keep and state {count} roll-ups of {day}",
        "まだ報告していません。--yes を付けると {day} の集計書 {count} 件を保存して報告します",
    ),
    "meter.report.stated": (
        "{licensee}: entry {index}, digest {digest}",
        "{licensee}：記録 {index}、要約値 {digest}",
    ),
    "meter.report.stood": (
        "{licensee}: stood there before, entry {index}",
        "{licensee}：報告済み、記録 {index}",
    ),
    "meter.verify.check": ("{name}: {verdict}: {detail}", "{name}：{verdict}：{detail}"),
    "meter.verify.head": (
        "{verdict}: {licensee}, {start} to {end}",
        "{verdict}：{licensee}、{start} から {end} まで",
    ),
    "meter.export.done": ("{count} events", "{count} 件"),
}
