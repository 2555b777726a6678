"""Messages of comparisons over a population: tables, charts, the page and the command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["MESSAGES"]

MESSAGES: Final[Mapping[str, tuple[str, str]]] = {
    # --- words
    "what-if.word.permit": ("permit", "許可不要"),
    "what-if.word.report": ("report", "届出"),
    "what-if.word.licence": ("licence", "要許可"),
    "what-if.word.deny": ("deny", "禁止"),
    "what-if.word.unsure": ("unsure", "判断不能"),
    "what-if.change.newly-caught": ("newly caught", "新たに規制対象"),
    "what-if.change.newly-freed": ("newly freed", "新たに規制対象外"),
    "what-if.change.stricter": ("stricter", "強化"),
    "what-if.change.looser": ("looser", "緩和"),
    "what-if.change.became-unsure": ("became unsure", "判断不能に"),
    "what-if.change.became-decided": ("became decided", "判定可能に"),
    "what-if.change.same": ("same", "同じ"),
    "what-if.kind.training-run": ("training run", "学習の実行"),
    "what-if.kind.cluster": ("cluster", "クラスタ"),
    "what-if.kind.transfer": ("transfer", "移転"),
    "what-if.kind.cloud-use": ("cloud use", "クラウド利用"),
    "what-if.kind.access": ("access", "モデル利用"),
    "what-if.not-told": ("not told", "記載なし"),
    "what-if.others": ("others ({count})", "その他（{count}）"),
    "what-if.none": ("none", "なし"),
    "what-if.not-measured": ("not measured", "未計量"),
    # --- what is compared
    "what-if.title": ("What changes from A to B", "A から B への変化"),
    "what-if.side": (
        "{side}: {title} ({name} {version}), law of {at}, reading: {reading}",
        "{side}: {title}（{name} {version}）、{at} の法令、読み方: {reading}",
    ),
    "what-if.side.own-day": ("each request's own day", "各申請の日付"),
    "what-if.reading.enforced": ("enforced", "執行中のもの"),
    "what-if.reading.codified": ("codified", "条文にあるもの"),
    "what-if.reading.announced": ("announced", "公表されたもの"),
    "what-if.counts": (
        "{requests} requests judged, {changed} answered otherwise, {refused} rows refused",
        "判定 {requests} 件、変化 {changed} 件、拒否した行 {refused} 件",
    ),
    "what-if.other-rules": (
        "{count} have the same answer for other reasons.",
        "{count} 件は答えが同じで理由が異なります。",
    ),
    "what-if.limits": (
        (
            "The figures speak of the requests in the file only. They do not say what people would do once the rules "
            "change, nor what was never filed."
        ),
        "数字はファイル内の申請だけについてのものです。規則が変わった後の行動や、申請されなかったものは分かりません。",
    ),
    # --- tables
    "what-if.table.changes": ("What changed", "変化"),
    "what-if.table.flows": (
        "Answer under A (rows) and under B (columns)",
        "A の答え（行）と B の答え（列）",
    ),
    "what-if.table.rules": ("Rules responsible", "変化の原因となる規則"),
    "what-if.table.by-kind": ("By kind of request", "申請の種類別"),
    "what-if.table.by-country": ("By country", "国別"),
    "what-if.table.by-owner": ("By owner", "所有者別"),
    "what-if.table.by-chip": ("By chip", "チップ別"),
    "what-if.table.load": ("Licence load", "許可業務の負荷"),
    "what-if.table.margins": ("Close to a threshold", "閾値付近"),
    "what-if.table.splits": ("Added up by owner and year", "所有者・年ごとの合算"),
    "what-if.table.owners-over": (
        "Owners over a threshold only together",
        "合算してはじめて閾値を超える所有者",
    ),
    "what-if.table.examples": ("Examples", "例"),
    "what-if.table.refused": ("Rows refused", "拒否した行"),
    "what-if.head.change": ("change", "変化"),
    "what-if.head.requests": ("requests", "件数"),
    "what-if.head.a-b": ("A \\ B", "A ＼ B"),
    "what-if.head.rule": ("rule", "規則"),
    "what-if.head.how": ("how", "現れ方"),
    "what-if.head.limb": ("limb, in the first such request", "条件（最初の該当申請）"),
    "what-if.head.name": ("name", "名称"),
    "what-if.head.licences-a": ("licences A", "許可申請 A"),
    "what-if.head.licences-b": ("licences B", "許可申請 B"),
    "what-if.head.measure": ("measure", "項目"),
    "what-if.head.a": ("A", "A"),
    "what-if.head.b": ("B", "B"),
    "what-if.head.difference": ("difference", "差"),
    "what-if.head.threshold": ("threshold", "閾値"),
    "what-if.head.kind": ("kind", "種類"),
    "what-if.head.side": ("in", "該当"),
    "what-if.head.within": ("< {percent} % below", "下 {percent} % 未満"),
    "what-if.head.above": ("< {percent} % above", "上 {percent} % 未満"),
    "what-if.head.p": ("p", "p 値"),
    "what-if.head.values": ("amounts", "値の種類"),
    "what-if.head.open": ("not known", "不明"),
    "what-if.head.owners": ("owners", "所有者"),
    "what-if.head.over-alone": ("over alone", "単独で超過"),
    "what-if.head.over-together": ("over together only", "合算でのみ超過"),
    "what-if.head.open-owners": ("open", "未確定"),
    "what-if.head.unnamed": ("owner not told", "所有者の記載なし"),
    "what-if.head.owner": ("owner", "所有者"),
    "what-if.head.year": ("year", "年"),
    "what-if.head.largest": ("largest", "最大"),
    "what-if.head.total": ("total", "合計"),
    "what-if.head.line": ("line", "行"),
    "what-if.head.id": ("id", "識別子"),
    "what-if.head.country": ("country", "国"),
    "what-if.head.chip": ("chip", "チップ"),
    "what-if.head.why": ("why", "理由"),
    "what-if.head.error": ("error", "誤り"),
    "what-if.how.appears": ("appears", "新たに該当"),
    "what-if.how.disappears": ("disappears", "該当しなくなる"),
    "what-if.how.stays": ("stays", "引き続き該当"),
    "what-if.values.many": ("more than 50", "50 超"),
    "what-if.p.tiny": ("< 1e-12", "< 1e-12"),
    "what-if.load.applications": ("licence applications", "許可申請"),
    "what-if.load.open": ("unsure: perhaps more", "判断不能（増える可能性）"),
    "what-if.load.reports": ("reports", "届出"),
    "what-if.load.denials": ("denied", "禁止"),
    "what-if.load.hours": ("hours of duties ({marks})", "義務の作業時間（{marks}）"),
    "what-if.load.unstated": (
        "requests with duties without stated hours",
        "作業時間が未記載の義務がある申請",
    ),
    "what-if.load.officers": (
        "officers, {each} licences a year each ({mark})",
        "審査官（年 {each} 件/人、{mark}）",
    ),
    "what-if.note.changes": (
        "Caught: from permit or report to licence or deny. Freed: the other way. Unsure is a category of its own.",
        "「規制対象」は許可不要・届出から要許可・禁止へ。「対象外」はその逆。判断不能は独立の区分です。",
    ),
    "what-if.note.rules": (
        "A request with two such rules counts under both.",
        "該当する規則が二つある申請は両方に数えます。",
    ),
    "what-if.note.groups": (
        "{names} names; those with most changes first.",
        "{names} 種。変化の多い順。",
    ),
    "what-if.note.too-many": (
        "More than {most} names: too many to keep apart, so none is listed.",
        "名称が {most} を超えるため、内訳は作成していません。",
    ),
    "what-if.note.load": (
        (
            "The population is taken as one year. Hours are the pack's assumptions for duties that come with each "
            "shipment, run, model or site; what is owed once for a customer or by the year, and all unsure requests, "
            "are not in them."
        ),
        (
            "母集団を1年分とみなします。時間は出荷・実行・モデル・施設ごとの義務についてパックが置いた仮定で、"
            "顧客ごと・年次などの義務と判断不能の申請は含みません。"
        ),
    ),
    "what-if.note.margins": (
        (
            "p: how often chance alone would put at least so many of those within 5 % of the threshold below it, were "
            "both sides as likely. It proves nothing by itself: small amounts are commoner than large ones, goods come in "
            "round lots, and a product's figure is where its maker put it. Few different amounts mean few products."
        ),
        (
            "p 値: 上下が同じ確率なら、閾値の 5 % 以内のうちこれ以上が下側に来る偶然の確率。"
            "それだけでは何も証明しません。小さい値ほど多く、数量は切りのよい数になりやすく、製品の性能値は製造者が決めるためです。"
            "値の種類が少なければ製品が少ないだけです。"
        ),
    ),
    "what-if.note.splits": (
        (
            "Owners whose requests of a calendar year cross the threshold only when added up. Open: not over, with an "
            "amount that is not known. Nothing here says that anybody split on purpose."
        ),
        (
            "暦年の申請を合算してはじめて閾値を超える所有者。未確定: 超えていないが不明な量がある所有者。"
            "意図的な分割を示すものではありません。"
        ),
    ),
    "what-if.note.splits.too-many": (
        "Too many owners to add up: not measured.",
        "所有者が多すぎるため合算していません（未計量）。",
    ),
    "what-if.note.examples": ("The first {limit} of each change.", "各変化の最初の {limit} 件。"),
    "what-if.note.refused": (
        "{count} in all; the first {shown} are listed. They are in no other figure.",
        "全 {count} 件のうち最初の {shown} 件。他の数字には含みません。",
    ),
    # --- charts
    "what-if.chart.flows": (
        "Each cell counts the requests with that answer under A (row) and B (column).",
        "各欄は A（行）と B（列）の答えの組の件数です。",
    ),
    "what-if.chart.groups": (
        "Bars to the right: newly caught, then became unsure (dotted). Bars to the left: newly freed (striped).",
        "右の棒: 新たに規制対象、続いて判断不能に（点模様）。左の棒: 新たに規制対象外（縞模様）。",
    ),
    "what-if.chart.margin": (
        "{threshold}: requests by how far their amount lies from the threshold, in steps of 1 %.",
        "{threshold}: 閾値からの距離別の件数（1 % 刻み）。",
    ),
    "what-if.chart.margin.figures": (
        "Within 5 %: {below} below, {above} above, p = {p}",
        "5 % 以内: 下 {below}、上 {above}、p = {p}",
    ),
    "what-if.chart.margin.axis": ("distance from the threshold, %", "閾値からの距離（%）"),
    "what-if.chart.load": (
        "Licence applications under A and B; dotted: unsure requests, which may be applications too.",
        "A と B の許可申請数。点模様は判断不能（申請になりうるもの）。",
    ),
    "what-if.chart.same": ("The table below says the same.", "下の表と同じ内容です。"),
    # --- the command
    "what-if.bar": ("requests", "申請"),
    "what-if.written": ("Charts and tables: {path}", "図表: {path}"),
    "what-if.csv-written": ("{rows} rows in {path}", "{path} に {rows} 行"),
}
