"""Messages of rules: what several regimes say, and what changed in law between two dates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["MESSAGES"]

MESSAGES: Final[Mapping[str, tuple[str, str]]] = {
    "rules.word.permit": ("permit", "許可不要"),
    "rules.word.report": ("report", "届出"),
    "rules.word.licence": ("licence", "要許可"),
    "rules.word.deny": ("deny", "禁止"),
    "rules.word.unsure": ("unsure", "判断不能"),
    "rules.no-rule": ("no rule", "該当規則なし"),
    "rules.said": ("{pack} says {word} ({rules})", "{pack} は「{word}」({rules})"),
    "rules.apart": ("{word}: {packs}", "{word}：{packs}"),
    "rules.conflict": ("{first}; {second}", "{first}、{second}"),
    # --- why two dates give two answers
    "rules.change.on": ("on {day}", "{day} に"),
    "rules.change.between": ("between {first} and {second}", "{first} から {second} の間に"),
    "rules.change.nothing": ("nothing", "なし"),
    "rules.change.pack": (
        "another pack: {before}, then {after}",
        "別の規則集: {before} から {after} へ",
    ),
    "rules.change.reading": (
        "another reading of {name}: {before}, then {after}",
        "{name} の別の読み方: {before} から {after} へ",
    ),
    "rules.change.coverage": (
        "what {name} can tell: before: {before}; after: {after}",
        "{name} の対象範囲：変更前 {before}、変更後 {after}",
    ),
    "rules.change.rule-began": (
        "the rule {name} came into force {when}{cite}",
        "規則 {name} が{when}発効{cite}",
    ),
    "rules.change.rule-ended": (
        "the rule {name} no longer acts ({before}, then {after}) {when}{cite}",
        "規則 {name} が{when}適用終了 ({before} から {after} へ){cite}",
    ),
    "rules.change.status": (
        "the rule {name}: {before}, then {after} {when}{cite}",
        "規則 {name}: {when}{before} から {after} へ{cite}",
    ),
    "rules.change.parameter": (
        "{name}: {before}, then {after} {when}{cite}",
        "{name}: {when}{before} から {after} へ変更{cite}",
    ),
    "rules.change.set": (
        "the set of places {name} changed {when}{cite}",
        "地域区分 {name} が{when}変更{cite}",
    ),
    "rules.change.definition": (
        "what {name} means changed {when}{cite}",
        "{name} の定義が{when}変更{cite}",
    ),
    "rules.change.exception-came": (
        "the licence exception {name} ({after}) came {when}{cite}",
        "許可例外 {name} ({after}) が{when}新設{cite}",
    ),
    "rules.change.exception-went": (
        "the licence exception {name} ({before}) went {when}{cite}",
        "許可例外 {name} ({before}) が{when}廃止{cite}",
    ),
    "rules.change.review": (
        "applications under {name}: {before}, then {after} {when}{cite}",
        "{name} の審査方針: {when}{before} から {after} へ{cite}",
    ),
    "rules.change.fact": (
        "another fact: {name} was {before}, then {after}",
        "事実の相違: {name} は {before} から {after} へ",
    ),
    # --- what an answer rests on that somebody should look at
    "rules.warn.knows": (
        "{pack} knows the law until {day}; what came later is not in it.",
        "{pack} は {day} までの法令を収録しています。その後の改正は含みません。",
    ),
    "rules.warn.recalled": (
        "Recalled, to be verified (R): {names}.",
        "記憶によるため要確認（R）：{names}。",
    ),
    "rules.warn.review": (
        "To be looked at again by {day}, which has passed: {names}.",
        "再確認の期限 {day} を過ぎています：{names}。",
    ),
    # --- a decision on the command line
    "rules.text.bar": ("judging the requests", "要求を判定中"),
    "rules.text.conflict": ("they differ", "相違"),
    "rules.text.none": ("no rule of this pack reaches it", "この規則集に該当する規則なし"),
    "rules.text.strange-chip": (
        "note: the chip table does not know {name}; correct the name, or give its data sheet",
        "注意: チップ表に {name} はありません。名称を直すか、データシートの値を示してください",
    ),
    "rules.text.open-rule": ("open, {outcome} if it holds", "未確定（該当すれば{outcome}）"),
    "rules.text.missing": ("missing", "不足している事実"),
    "rules.text.warning": ("note", "注意"),
    "rules.text.by": ("by", "根拠:"),
    "rules.text.at": ("at", "基準日"),
    "rules.text.source": ("source", "出典"),
    "rules.text.since": ("{status} since {day}", "{status}、{day} から"),
    "rules.text.review": ("review", "審査方針"),
    "rules.text.depends": ("it depends on", "次の事実による:"),
    "rules.text.duty": ("to do", "義務"),
    "rules.text.lifted": ("lifted by", "適用除外"),
    "rules.text.exception": ("exception", "許可例外"),
    "rules.text.exception.true": ("it holds", "適用あり"),
    "rules.text.exception.false": ("it does not hold", "適用なし"),
    "rules.text.exception.unknown": ("not known to hold", "適用不明"),
    "rules.text.failed": ("does not hold", "不成立"),
    "rules.text.open": ("not known", "未確認"),
    "rules.text.notice": ("it asks", "必要な届出"),
    "rules.text.each-year": ("each year on", "毎年"),
    "rules.text.before": ("before {event}", "{event} の前まで"),
    "rules.text.days-before": ("{count} days before {event}", "{event} の {count} 日前まで"),
    "rules.text.days-after": ("within {count} days after {event}", "{event} から {count} 日以内"),
    "rules.text.hours-before": ("{count} hours before {event}", "{event} の {count} 時間前まで"),
    "rules.text.hours-after": (
        "within {count} hours after {event}",
        "{event} から {count} 時間以内",
    ),
    "rules.text.others": (
        "changes that do not bear on the answer: {count}",
        "ほかに答えに影響しない変更 {count} 件",
    ),
    "rules.per.once": ("once", "一回"),
    "rules.per.shipment": ("each shipment", "出荷ごと"),
    "rules.per.run": ("each run", "訓練ごと"),
    "rules.per.model": ("each model", "モデルごと"),
    "rules.per.site": ("each site", "拠点ごと"),
    "rules.per.customer": ("each customer", "顧客ごと"),
    "rules.per.incident": ("each incident", "事案ごと"),
    "rules.per.month": ("each month", "毎月"),
    "rules.per.quarter": ("each quarter", "四半期ごと"),
    "rules.per.half-year": ("each half-year", "半年ごと"),
    "rules.per.year": ("each year", "毎年"),
}
