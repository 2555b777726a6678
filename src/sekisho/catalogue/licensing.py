"""Messages of `sekisho licence`: applications, answers, amendments, closing and burn-down, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["MESSAGES"]

MESSAGES: Final[Mapping[str, tuple[str, str]]] = {
    # --- documents in words: titles and labels
    "show.kind.application-filed": ("Application for a licence", "許可の申請"),
    "show.kind.application-amending": (
        "Application for a change of a licence",
        "許可の変更の申請",
    ),
    "show.kind.approval-approve": ("Approval of an application", "申請の承認"),
    "show.kind.approval-refuse": ("REFUSAL of an application", "申請の却下"),
    "show.kind.licence-amended": ("Amendment of a licence", "許可の変更"),
    "show.kind.licence-suspended": ("SUSPENSION of a licence", "許可の停止"),
    "show.kind.licence-revoked": ("REVOCATION of a licence", "許可の取消し"),
    "show.kind.licence-closed": ("Closing of a licence's books", "許可の帳簿の締切り"),
    "show.kind.outage-declared": ("Outage of the issuer", "発行者の障害の宣言"),
    "show.label.amends": ("would amend", "変更の対象"),
    "show.label.asks_mode": ("mode at least", "求める措置"),
    "show.label.evidence": ("evidence", "添付資料"),
    "show.label.condition": ("on condition", "条件"),
    "show.label.answer_key": ("officer's key", "担当者の鍵"),
    "show.label.version": ("version", "版"),
    "show.label.suspension": ("suspension", "停止"),
    "show.label.usage_entry": ("usage report", "利用報告"),
    "show.label.measured": ("measured", "実測"),
    "show.label.missing": ("still missing", "不足"),
    "show.licence.lifted": ("is lifted: {leaf}", "解除：{leaf}"),
    "show.licence.not_lifted": ("stays in force: {reason}", "継続：{reason}"),
    "show.licence.version": (
        "{version}, after {previous}",
        "第 {version} 版（直前：{previous}）",
    ),
    "show.licence.was": ("{what}: {before} -> {after}", "{what}：{before} → {after}"),
    "show.licence.unchanged": ("no term of it changes", "条件の変更はありません"),
    "show.licence.grants_more": (
        "grants more than stands: takes {count} approvals of an application",
        "現行より多くを許す：申請への承認が {count} 件必要",
    ),
    "show.licence.only_restricts": (
        "only restricts: needs no application and no approval",
        "制限のみ：申請も承認も不要",
    ),
    "show.licence.suspends": (
        "no lease is granted and no quantum begins until an amendment lifts it; a revocation ends it for good",
        "変更により解除されるまで、リースの付与も新たな区間の開始もない。取消しは最終的である",
    ),
    "show.licence.revokes": (
        "no lease is granted and no quantum begins any more; it cannot be lifted",
        "以後リースの付与も新たな区間の開始もない。解除はできない",
    ),
    "show.licence.closes": (
        "the books are final; measured figures are concealed ({count}) and opened to auditors",
        "帳簿は確定。実測値は秘匿され（{count} 件）、監査人に開示される",
    ),
    "show.licence.no_usage": (
        "no usage report: the FLOP are not measured, which is not zero",
        "利用報告なし：FLOP は未計測（ゼロではない）",
    ),
    "show.application.missing": (
        "{count} more holders must approve",
        "あと {count} 名の承認が必要",
    ),
    "show.application.enough": (
        "enough holders approved: the licence can be drafted and signed",
        "承認は足りています：許可を起案し署名できます",
    ),
    "show.application.refused": ("{name} refuses: {reason}", "{name} は却下：{reason}"),
    "show.application.approved": ("{name} approves", "{name} は承認"),
    "show.application.unread": (
        "the application itself was not read: no log",
        "申請を読んでいません：ログなし",
    ),
    "show.outage.everywhere": ("every host of the regime", "体制の全ホスト"),
    "show.outage.sites": ("sites {names}", "サイト {names}"),
    "show.outage.hosts": ("hosts {names}", "ホスト {names}"),
    "show.outage.long": (
        "an outage lasts at most {hours} hours",
        "発行者不在の宣言は長くても {hours} 時間です",
    ),
    "show.outage.effect": (
        (
            "grace of ended leases and of missing acknowledgements lasts until {until}; never where an order "
            "covers the host, never beyond the allowance in hand"
        ),
        "終了したリースと未着の確認の猶予は {until} まで延びる。命令の及ぶホストには及ばず、手元の枠を超えない",
    ),
    "show.label.licence_approvals": ("approvals", "必要な承認"),
    "show.charter.approvals": (
        "{count} holders must approve a licence's application",
        "許可の申請には {count} 名の承認が必要",
    ),
    "show.charter.no_approvals": (
        "none asked: the licence's own quorum decides alone",
        "不要：許可自体の定足数のみで決まる",
    ),
    "show.label.tpm_roots": ("TPM makers", "TPM 製造者"),
    # --- the console
    "web.applications": ("Applications", "申請"),
    "web.applications.empty": ("No application is filed.", "申請はありません。"),
    "web.applications.asked": (
        "{count} holders must approve each",
        "それぞれ {count} 名の承認が必要",
    ),
    "web.application": ("Application", "申請"),
    "web.application.amends": ("to amend a licence", "許可の変更"),
    "web.application.state": ("State", "状態"),
    "web.application.answers": ("Answers", "回答"),
    "web.application.approval": ("approval", "承認"),
    "web.application.is.open": ("open", "審査中"),
    "web.application.is.ready": ("approved, no licence yet", "承認済み、許可は未発行"),
    "web.application.is.refused": ("refused", "却下"),
    "web.application.is.decided": ("granted", "許可済み"),
    "web.application.missing": ("{count} more holders must approve", "あと {count} 名の承認が必要"),
    "web.application.approves": (
        "{holder} ({organisation}) approves",
        "{holder}（{organisation}）承認",
    ),
    "web.application.refuses": (
        "{holder} ({organisation}) refuses",
        "{holder}（{organisation}）却下",
    ),
    "web.suspended": ("suspended", "停止中"),
    "web.suspended.why": (
        "Suspended: no lease is granted and no quantum begins. {reason}",
        "停止中：リースの付与も新たな区間の開始もありません。{reason}",
    ),
    "web.closed": ("closed", "締切り済み"),
    "web.overdrawn": ("Taken beyond the budget:", "予算を超えた分："),
    "web.burn.over-time": ("Burn-down over time", "消化の推移"),
    "web.burn.share": ("Burn-down of share {share}", "配分 {share} の消化の推移"),
    "web.burn.why": (
        "marks and forecast read what is consumed or forfeited; what is leased may return",
        "目印と予測は消費と失効のみ。割当中は戻ることがある",
    ),
    "web.burn.alt": (
        "consumed, forfeited and leased over time below the budget; the table below says the same",
        "予算のもとでの消費、失効、割当の推移。下の表と同じ内容",
    ),
    "web.burn.table": ("The same as a table", "同じ内容の表"),
    "web.burn.unknown": (
        "{count} amounts are not disclosed: what is left is unknown.",
        "{count} 件の数量が非開示のため、残りは不明です。",
    ),
    "web.burn.not-crossed": ("not reached", "未達"),
    "web.burn.forecast": ("spent up", "使い切る時期"),
    "web.burn.not-in-period": ("not before the licence ends", "許可の期間内ではない"),
    "web.burn.basis": (
        "at the fastest and the slowest of {parts} parts of {length} each",
        "{length} ごとの {parts} 区間のうち最速と最遅による",
    ),
    "web.burn.basis.too-few-leases": (
        "no forecast: fewer than two leases were closed",
        "予測なし：終了したリースが二つに満たない",
    ),
    "web.burn.basis.undisclosed": (
        "no forecast: amounts are not disclosed",
        "予測なし：数量が非開示",
    ),
    "web.burn.basis.exhausted": ("the budget is spent", "予算は使い切られた"),
    "web.burn.basis.ended": (
        "no forecast: nothing is granted any more",
        "予測なし：もう付与されない",
    ),
    "web.shares": ("Shares of the budget", "予算の配分"),
    "web.share": ("Share", "配分"),
    "web.share.where": ("Sites, issuer", "サイト、発行者"),
    "web.versions": ("Versions", "版"),
    "web.version": ("Version", "版"),
    "web.reason": ("Reason", "理由"),
    "web.posting.amended": ("Amended to version {number}{host}", "第 {number} 版へ変更{host}"),
    "web.ended.forked": ("forked; both branches counted", "分岐、両方を算入"),
    "web.closing.says": (
        "The books are closed: {usage} usage reports and {checkpoints} checkpoints are named.",
        "帳簿は締切り済み：利用報告 {usage} 件、チェックポイント {checkpoints} 件。",
    ),
    # --- the outsider's audit
    "audit.check.approvals": (
        "Did enough others approve each licence?",
        "各許可は他の者により十分に承認されましたか",
    ),
    "audit.check.closings": (
        "Do closed books say what was measured?",
        "締め切られた帳簿は実測を示していますか",
    ),
    # --- commands
    "licence.status.suspended": ("SUSPENDED", "停止中"),
    "licence.status.closed": ("closed", "締切り済み"),
    "licence.ended.forked": ("forked: both branches counted", "分岐：両方を算入"),
    "licence.share": (
        "share {share}: {available} available, {leased} leased, {consumed} consumed, {forfeited} forfeited",
        "配分 {share}：残 {available}、貸出 {leased}、消費 {consumed}、没収 {forfeited}",
    ),
    "licence.applications.none": ("No application was ever filed.", "申請はまだありません。"),
    "licence.application.line": (
        "{name} of {party} for run {run}: {flop}, {state}",
        "{name}：{party}、計算 {run}、{flop}、{state}",
    ),
    "licence.application.open": (
        "open, {count} more approvals needed",
        "審査中、あと {count} 件の承認",
    ),
    "licence.application.ready": ("approved, licence not issued yet", "承認済み、許可は未発行"),
    "licence.application.refused": ("refused by {count}", "{count} 名が却下"),
    "licence.application.decided": ("granted", "許可済み"),
    "licence.close.shown": (
        "Licence {number} would be closed: {usage} usage reports, {checkpoints} checkpoints. Say --yes to state it.",
        "許可 {number} を締め切ります：利用報告 {usage} 件、チェックポイント {checkpoints} 件。--yes で記録します。",
    ),
    "licence.close.stated": (
        "Licence {number} is closed: entry {index}.",
        "許可 {number} を締め切りました：記録 {index}。",
    ),
    "licence.close.measured": ("  {name}: {value}", "  {name}：{value}"),
    "licence.burn.head": (
        "{number}: {spent} of {budget} spent ({percent}), {leased} leased, {available} available",
        "{number}：{budget} のうち {spent} を消費・没収（{percent}）、貸出 {leased}、残 {available}",
    ),
    "licence.burn.share": ("{number}, share {share}", "{number} の配分 {share}"),
    "licence.burn.unknown": (
        "{number}: {count} amounts are undisclosed: what is left is unknown",
        "{number}：{count} 件の数量が非開示のため、残りは不明",
    ),
    "licence.burn.mark": ("  {percent} % since {at}", "  {percent} %：{at} 以降"),
    "licence.burn.no_mark": ("  {percent} %: not reached", "  {percent} %：未達"),
    "licence.burn.observed": (
        (
            "  spent up between {earliest} and {latest}, at the fastest and slowest of {parts} parts of {length} "
            "({high}/s to {low}/s)"
        ),
        "  {earliest} から {latest} の間に使い切る見込み（{length} ごとの {parts} 区間の最速 {high}/s と最遅 {low}/s）",
    ),
    "licence.burn.never": ("not before the licence ends", "許可の期間内ではない"),
    "licence.burn.too-few-leases": (
        "  no forecast: fewer than two leases were closed",
        "  予測なし：終了したリースが二つに満たない",
    ),
    "licence.burn.undisclosed": (
        "  no forecast: amounts are undisclosed",
        "  予測なし：数量が非開示",
    ),
    "licence.burn.exhausted": ("  the budget is spent", "  予算は使い切られた"),
    "licence.burn.ended": (
        "  no forecast: nothing is granted any more",
        "  予測なし：もう付与されない",
    ),
}
