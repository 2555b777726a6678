"""Messages about an order before and after its issue: reach, sites, stragglers, the ladder, appeals, drills, notices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["MESSAGES"]

MESSAGES: Final[Mapping[str, tuple[str, str]]] = {
    # --- the audit
    "audit.check.refusals": (
        "Was each step against a host that does not follow taken in its turn and time?",
        "従わないホストへの各措置は順序と期限どおりですか",
    ),
    "audit.check.appeals": (
        "Was each appeal filed by a party under the order, and decided by who may?",
        "不服申立ては当事者が行い、権限のある者が裁決しましたか",
    ),
    # --- an order's reach, before it is signed
    "show.label.exempt_services": ("goes on", "継続する処理"),
    "show.label.work_now": ("work now", "現在の処理"),
    "show.label.reach_host": ("host", "対象ホスト"),
    "show.label.at_risk": ("would be lost", "失われる見込み"),
    "show.label.no_checkpoint": ("no checkpoint", "保存なし"),
    "show.label.held": ("would be held", "止まる量"),
    "show.reach.exempt.named-in-the-order": (
        "{run} goes on at {hosts} ({devices} devices): the order names it",
        "{run} は {hosts}（装置 {devices} 台）で継続：命令が除外",
    ),
    "show.reach.exempt.not-the-canary": (
        "{run} goes on at {hosts} ({devices} devices): a drill stops only the declared canary",
        "{run} は {hosts}（装置 {devices} 台）で継続：演習の対象は届出済みのカナリアのみ",
    ),
    "show.reach.work": (
        "{running} of the {count} hosts that were heard of run work ({devices} devices are covered)",
        "連絡のあったホスト {count} 台のうち {running} 台が稼働（対象の装置 {devices} 台）",
    ),
    "show.reach.work.unknown": (
        "work at {count} hosts ({devices} devices) is not measured: the log does not hold it; name a source: --work",
        "ホスト {count} 台（装置 {devices} 台）の稼働は未計測：ログに記録なし。--work で情報源を指定",
    ),
    "show.reach.work.unseen": (
        "not measured at {count} hosts, which were not heard of: {names}",
        "{count} 台は連絡がなく未計測：{names}",
    ),
    "show.reach.host": (
        "{host} ({site}, {devices} devices): {run} {work}; {saved}; at risk {risk}",
        "{host}（{site}、装置 {devices} 台）：{run} {work}、{saved}、損失の見込み {risk}",
    ),
    "show.reach.more": (
        "… and {count} more hosts; all of them with --json",
        "… ほか {count} 台。全件は --json",
    ),
    "show.reach.is.running": ("runs", "稼働中"),
    "show.reach.is.frozen": ("is frozen", "凍結中"),
    "show.reach.is.ended": ("has ended", "終了"),
    "show.reach.is.none": ("runs nothing", "稼働なし"),
    "show.reach.is.None": ("not measured", "未計測"),
    "show.reach.checkpoint": (
        "newest checkpoint {digest}, {age} old",
        "最新の保存点 {digest}、{age} 前",
    ),
    "show.reach.no-checkpoint": ("NO checkpoint known", "保存点は不明"),
    "show.reach.within": (
        " (writes one within the grace: it took {length} at most before)",
        "（猶予内に保存可能：過去の最長 {length}）",
    ),
    "show.reach.not-measured": ("not measured", "未計測"),
    "show.reach.hours": ("{hours} device-hours", "{hours} 装置時間"),
    "show.reach.at-risk": (
        "{hours}, over the {measured} of {count} hosts where it is known (devices x age of the newest checkpoint)",
        "{hours}。対象 {count} 台のうち判明した {measured} 台の合計（装置数 × 最新の保存点からの時間）",
    ),
    "show.reach.unmeasured": (
        "not measured at {count} hosts: {names}",
        "{count} 台は未計測：{names}",
    ),
    "show.reach.without": (
        "{count} hosts, all their work may be lost: {names}",
        "{count} 台。すべての計算が失われる可能性：{names}",
    ),
    "show.reach.held": (
        "{hours}, if it lasts its whole {length}",
        "{hours}（{length} を満了した場合）",
    ),
    # --- an order by site
    "order.site": (
        "  site {site}: {hosts} hosts, {devices} devices: {parts}",
        "  拠点 {site}：ホスト {hosts} 台、装置 {devices} 台：{parts}",
    ),
    "order.site.part": (
        "{word} {hosts} hosts, {devices} devices ({percent} % of devices)",
        "{word} ホスト {hosts} 台、装置 {devices} 台（装置の {percent} %）",
    ),
    "order.site.until": ("the first verdict lapses {until}", "最初の判定の失効 {until}"),
    "order.place.verified": ("verified", "検証済み"),
    "order.place.corroborated": ("corroborated", "裏付けあり"),
    "order.place.claimed": ("claimed", "申告のみ"),
    "order.place.contradicted": ("CONTRADICTED", "矛盾"),
    "order.place.non-responsive": ("NON-RESPONSIVE", "応答なし"),
    "order.place.issued": ("no answer yet", "応答待ち"),
    "order.place.received": ("received", "受領"),
    "order.place.checkpointed": ("checkpointed", "保存済み"),
    "order.place.capped": ("capped", "制限中"),
    "order.place.resumed": ("resumed", "再開済み"),
    "order.place.unasked": ("no receipt asked", "受領証は不要"),
    # --- stragglers and the ladder
    "order.late": (
        "{host} ({site}) is {length} late under {order}: {why}",
        "{host}（{site}）は {order} に対し {length} 遅延：{why}",
    ),
    "order.late.none": (
        "Nobody is late under an order in force.",
        "効力のある命令に遅れているホストはありません。",
    ),
    "order.late.why.silent": ("no receipt was given", "受領証なし"),
    "order.late.why.not-halted": ("it did not say that it halted", "停止の申告なし"),
    "order.late.why.contradicted": (
        "it says that it halted, and an observer saw work",
        "停止を申告したが観察者が稼働を確認",
    ),
    "order.late.why.went-on": ("it resumed while the order stands", "命令の効力中に再開"),
    "order.late.made": (
        "      {step} of {at}, to be answered {answer_by}",
        "      {at} に{step}、回答期限 {answer_by}",
    ),
    "order.late.end": (
        "      the ladder is at its end: what follows is outside this program",
        "      段階は最後まで進みました。以後の措置はこのプログラムの外です",
    ),
    "order.late.next.wait": (
        "      next: {steps}, from {at} on; due by {by}",
        "      次：{steps}。{at} から可能、期限 {by}",
    ),
    "order.late.next.due": (
        "      next: {steps}, possible since {at}; DUE by {by}",
        "      次：{steps}。{at} から可能。実施期限 {by}",
    ),
    "order.late.next.overdue": (
        "      next: {steps}, possible since {at}; OVERDUE since {by}",
        "      次：{steps}。{at} から可能。期限超過 {by}",
    ),
    "order.step.notice": ("notice", "通知"),
    "order.step.leases-ended": ("end of leases", "リース終了"),
    "order.step.refusal": ("refusal on record", "不履行の記録"),
    "order.step.inspection": ("inspection", "検査"),
    "order.step.supply-measure": ("supply measure", "供給措置"),
    # --- what a judge, a party and an adjudicator sign
    "show.kind.refusal-recorded": (
        "STEP AGAINST A HOST THAT DOES NOT FOLLOW",
        "命令に従わないホストへの措置",
    ),
    "show.kind.appeal-filed": ("APPEAL AGAINST AN ORDER", "命令への不服申立て"),
    "show.kind.appeal-decided": ("DECISION OF AN APPEAL", "不服申立ての裁決"),
    "show.label.step": ("step", "段階"),
    "show.label.measure": ("measure", "措置の内容"),
    "show.label.answer_by": ("answer by", "回答期限"),
    "show.label.grounds": ("grounds", "理由"),
    "show.label.evidence_named": ("evidence", "証拠"),
    "show.label.steps_before": ("steps before", "これまでの段階"),
    "show.label.appeal_name": ("appeal", "申立て"),
    "show.label.asks": ("asks", "求める内容"),
    "show.label.touched": ("touched by", "対象となる理由"),
    "show.label.outcome": ("outcome", "結論"),
    "show.label.resume_by": ("resume due by", "再開の期限"),
    "show.label.stands": ("stands", "現状"),
    "show.refusal.first": ("none: this is the first", "なし（最初の段階）"),
    "show.refusal.step.notice": (
        "notice: told on record that it is late",
        "通知：遅延を記録し告知",
    ),
    "show.refusal.step.leases-ended": ("the end of its leases", "リースの終了"),
    "show.refusal.step.refusal": ("the refusal itself, on record", "不履行そのものの記録"),
    "show.refusal.step.inspection": ("an inspection", "検査"),
    "show.refusal.step.supply-measure": ("a supply measure", "供給措置"),
    "show.refusal.effect.notice": (
        "nothing ends by it; the next step may follow when the answer is due",
        "これだけでは何も終わらない。回答期限の後に次の段階へ進める",
    ),
    "show.refusal.effect.leases-ended": (
        "the issuer grants this host NOTHING, under any licence, until it halts or the order is over",
        "停止するか命令が終わるまで、発行者はどの許可でもこのホストに一切交付しない",
    ),
    "show.refusal.effect.refusal": (
        "it stands on record that this host refuses; inspection or a supply measure may follow",
        "このホストの拒否が記録に残る。検査または供給措置が続き得る",
    ),
    "show.refusal.effect.inspection": (
        "people go there; this program only keeps the record",
        "人が現地に赴く。このプログラムは記録のみ",
    ),
    "show.refusal.effect.supply-measure": (
        "suppliers are told; this program only keeps the record",
        "供給者に知らせる。このプログラムは記録のみ",
    ),
    "show.warn.refusal-no-evidence": (
        "It names no evidence: nothing was ever heard of this host under the order.",
        "証拠の記載がありません。このホストからは命令に関する連絡が一度もありません。",
    ),
    "show.appeal.by": ("{name}, by {party}", "{name}、申立人 {party}"),
    "show.appeal.effect": ("it lifts nothing: the order goes on", "何も解除しない：命令は続く"),
    "show.appeal.decision-effect": (
        "it lifts nothing by itself: lifting is a resume's, under its own quorum",
        "それ自体では何も解除しない：解除は再開命令とその定足数による",
    ),
    "show.appeal.touched": (
        "licences {licences}; hosts {hosts}",
        "許可 {licences}、ホスト {hosts}",
    ),
    "show.appeal.outcome.upheld": ("UPHELD: a resume is due", "認容：再開が必要"),
    "show.appeal.outcome.upheld-in-part": (
        "UPHELD IN PART: a resume is due",
        "一部認容：再開が必要",
    ),
    "show.appeal.outcome.dismissed": ("dismissed: the order stands", "棄却：命令は有効のまま"),
    "show.appeal.outcome.withdrawn": ("withdrawn by its party", "取下げ"),
    "show.appeal.is.open": ("open: not decided", "審理中"),
    "show.appeal.is.dismissed": ("dismissed", "棄却"),
    "show.appeal.is.withdrawn": ("withdrawn", "取下げ"),
    "show.appeal.is.resume-due": ("upheld: the resume is due", "認容：再開待ち"),
    "show.appeal.is.resume-overdue": ("UPHELD, AND THE RESUME IS OVERDUE", "認容：再開の期限超過"),
    "show.appeal.is.resumed": ("upheld, and the order is over", "認容：命令は終了"),
    "order.appeal": (
        "{name} against {order}, by {party}: {standing}",
        "{name}、対象 {order}、申立人 {party}：{standing}",
    ),
    "order.appeal.resume-by": ("      resume due {by}", "      再開の期限 {by}"),
    "order.appeals.none": ("No appeal was filed.", "不服申立てはありません。"),
    # --- what an audit says of them
    "audit.limit.late": (
        "{host} is late under order {order} since {due}: it has not been shown to halt.",
        "{host} は命令 {order} に {due} から遅れており、停止が示されていません。",
    ),
    "audit.limit.late-more": (
        "{count} more hosts are late under orders in force.",
        "ほか {count} 台が効力のある命令に遅れています。",
    ),
    "audit.limit.resume": (
        "Appeal {appeal} against order {order} was upheld, and the resume due at {due} has not come.",
        "命令 {order} への申立て {appeal} は認容されましたが、{due} 期限の再開がまだありません。",
    ),
    "order.effect.checkpoint-then-stop": ("checkpoint-then-stop", "保存のうえ停止"),
    "order.effect.freeze": ("freeze", "凍結"),
    "order.effect.cap": ("cap", "上限"),
    "order.effect.suspend-access": ("suspend-access", "利用停止"),
    "order.effect.lift": ("lift", "解除"),
    "order.kind.hold": ("hold", "保留"),
    "order.kind.pause": ("pause", "一時停止"),
    "order.kind.cap": ("cap", "上限"),
    "order.kind.suspend-access": ("suspend-access", "利用停止"),
    "order.kind.resume": ("resume", "再開"),
    "order.unasked": (
        "  {host}: no receipt is asked; whoever serves states what was served and refused (access-decided)",
        "  {host}：受領証は不要。モデルの提供者が提供・拒否の実績を報告（access-decided）",
    ),
    "order.more-hosts": (
        "  and {n} more hosts: --site S shows one site, --json all",
        "  ほか {n} 台：--site で拠点別、--json ですべてを表示",
    ),
    # --- how orders get to hosts
    "order.delivery": (
        "by {at}: {n} hosts wait for news at this control plane",
        "{at} 時点：このコントロールプレーンで新着を待つホスト {n} 台",
    ),
    "order.delivery.nobody": (
        "  orders are pushed to nobody",
        "  プッシュの宛先はありません",
    ),
    "order.delivery.push": (
        "  pushed to {all} addresses: {reached} reached, {untried} not tried, {silent} SILENT",
        "  プッシュの宛先 {all} 件：到達 {reached} 件、未送信 {untried} 件、不達 {silent} 件",
    ),
    "order.delivery.silent": (
        "  {host} does not answer, {n} times in a row: {said}",
        "  {host}：応答なし（連続 {n} 回）：{said}",
    ),
    "order.delivery.more": ("  and {n} more silent addresses", "  ほか {n} 件が不達"),
    # --- being told
    "order.notice.told": ("{place} was told", "{place} に通知しました"),
    "order.notice.failed": ("{place} was NOT told: {why}", "{place} に通知できません：{why}"),
    "order.notice.none": (
        "notify.json names no place: nobody is told.",
        "notify.json に通知先がありません。誰にも通知されません。",
    ),
    # --- drills
    "order.drill": ("drill {order}, begun {begun}", "演習 {order}、開始 {begun}"),
    "order.drill.site": ("  {site}: {stages}", "  {site}：{stages}"),
    "order.drill.site.not": (
        "  {site}: NOT EXERCISED, no canary was stopped: {stages}",
        "  {site}：未演習（停止したカナリアなし）：{stages}",
    ),
    "order.drill.stage": (
        "{stage} {count} of {of}, {took}",
        "{stage} {of} 台中 {count} 台、{took}",
    ),
    "order.drill.stage.received": ("received", "受領"),
    "order.drill.stage.checkpointed": ("checkpointed", "保存"),
    "order.drill.stage.halted": ("halted", "停止"),
    "order.drill.stage.corroborated": ("corroborated", "裏付け"),
    "order.drill.stage.verified": ("verified", "検証"),
    "order.drill.open": ("not all yet", "未完了"),
    "order.drill.without": (
        "      not exercised, since they declare no canary: {count} hosts: {names}",
        "      カナリアの届出がなく未演習：{count} 台：{names}",
    ),
    "order.drill.no-canary": (
        "  {site}: NOT EXERCISED, no host declares a canary",
        "  {site}：未演習（カナリアの届出なし）",
    ),
    "order.drill.never": (
        "  {site}: NOT EXERCISED, no drill ever stopped its canary",
        "  {site}：未演習（カナリアを停止した演習なし）",
    ),
    "order.drill.last": (
        "  {site}: {days} days since drill {order} of {at}",
        "  {site}：最後の演習 {order}（{at}）から {days} 日",
    ),
    "order.drill.no-sites": ("No host is enrolled.", "登録済みのホストはありません。"),
}
