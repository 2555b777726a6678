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
        "別の規則パック: {before} から {after} へ",
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
    "rules.text.none": ("no rule of this pack reaches it", "この規則パックに該当する規則なし"),
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
    "rules.text.before": ("before {event}", "{event}の前まで"),
    "rules.text.days-before": ("{count} days before {event}", "{event}の{count}日前まで"),
    "rules.text.days-after": ("within {count} days after {event}", "{event}から{count}日以内"),
    "rules.text.hours-before": ("{count} hours before {event}", "{event}の{count}時間前まで"),
    "rules.text.hours-after": (
        "within {count} hours after {event}",
        "{event}から{count}時間以内",
    ),
    "rules.text.others": (
        "changes that do not bear on the answer: {count}",
        "ほかに答えに影響しない変更 {count} 件",
    ),
    # --- what deadlines count from, as the shipped packs name it
    "rules.event.discovery": ("discovery", "発見"),
    "rules.event.move": ("move", "移設"),
    "rules.event.opening": ("opening", "開設"),
    "rules.event.shipment": ("shipment", "出荷"),
    "rules.event.the-agreement-takes-effect-or-the-cluster-comes-to-be": (
        "the agreement takes effect or the cluster comes to be",
        "協定の発効又はクラスターの設置",
    ),
    "rules.event.the-entry-was-made-or-renewed": (
        "the entry was made or renewed",
        "登録又はその更新",
    ),
    "rules.event.the-incident-is-discovered": ("the incident is discovered", "事案の発見"),
    "rules.event.the-model-is-deployed": ("the model is deployed", "モデルの提供開始"),
    "rules.event.the-model-is-placed-on-the-market": (
        "the model is placed on the market",
        "モデルの上市",
    ),
    "rules.event.the-modified-model-is-placed-on-the-market": (
        "the modified model is placed on the market",
        "改変したモデルの上市",
    ),
    "rules.event.the-order-is-received": ("the order is received", "命令の受領"),
    "rules.event.the-provider-learns-of-a-serious-incident-of-the-gravest-kind": (
        "the provider learns of a serious incident of the gravest kind",
        "最も重い類型の重大インシデントを提供者が知った時点",
    ),
    "rules.event.the-quarter-ends": ("the quarter ends", "四半期の終了"),
    "rules.event.the-run-starts": ("the run starts", "学習の実行の開始"),
    "rules.event.the-shipment": ("the shipment", "出荷"),
    "rules.event.the-threshold-is-met-or-it-is-known-that-it-will-be-met": (
        "the threshold is met or it is known that it will be met",
        "基準への到達又は到達見込みの判明",
    ),
    "rules.event.the-transfer": ("the transfer", "移転"),
    # --- why a pack has no answer
    "rules.silent.kind": (
        "{pack} says nothing about {kind} on that date",
        "{pack} はその日付の「{kind}」について定めていません",
    ),
    "rules.silent.before": (
        "{pack} says nothing before {day}",
        "{pack} は {day} より前について定めていません",
    ),
    "rules.per.once": ("once", "一回"),
    "rules.per.shipment": ("each shipment", "出荷ごと"),
    "rules.per.run": ("each run", "学習の実行ごと"),
    "rules.per.model": ("each model", "モデルごと"),
    "rules.per.site": ("each site", "拠点ごと"),
    "rules.per.customer": ("each customer", "顧客ごと"),
    "rules.per.incident": ("each incident", "事案ごと"),
    "rules.per.month": ("each month", "毎月"),
    "rules.per.quarter": ("each quarter", "四半期ごと"),
    "rules.per.half-year": ("each half-year", "半年ごと"),
    "rules.per.year": ("each year", "毎年"),
    # --- the class of a chip
    "rules.class.none": ("none", "該当なし"),
    "rules.class.unsure": ("unsure", "判断不能"),
    "rules.class.unknown": ("unknown", "不明"),
    "rules.class.chip": ("chip", "チップ"),
    "rules.class.class": ("class", "分類"),
    "rules.class.bits": ("bits", "ビット"),
    "rules.class.tpp-at": ("TPP {tpp} at {bits} bits", "TPP {tpp}（{bits} ビット）"),
    "rules.class.tpp": ("TPP {tpp}", "TPP {tpp}"),
    "rules.class.density": (
        "performance density {density} TPP/mm2",
        "性能密度 {density} TPP/mm2",
    ),
    "rules.class.h100e": ("H100 equivalents {count}", "H100 換算 {count}"),
    "rules.class.missing": ("missing: {facts}", "不足している事実: {facts}"),
    "rules.class.note": ("note: {note}", "注記: {note}"),
    "rules.class.exception": (
        "open to such an item: {title} ({cite})",
        "この品目が使えるもの: {title} ({cite})",
    ),
    "rules.class.not-yet": ("not yet law", "未施行"),
    "rules.class.limit": ("limit: {limb}", "基準: {limb}"),
    "rules.class.by": (
        "by {name} {version} (sha256 {digest}...) at {at}",
        "根拠: {name} {version} (sha256 {digest}...) 基準日 {at}",
    ),
    "rules.class.unofficial": (
        "by the text of the pack: no official classification, no legal advice",
        "規則パックの文言による判定です。公的な該非判定でも法的助言でもありません",
    ),
    "rules.class.truth.true": ("true", "成立"),
    "rules.class.truth.false": ("false", "不成立"),
    "rules.class.truth.unknown": ("unknown", "不明"),
}
