"""Help, errors, verdicts and the remaining commands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["MESSAGES"]

MESSAGES: Final[Mapping[str, tuple[str, str]]] = {
    # --- the command line itself
    "cli.about": (
        "Sekisho: the compute pause button. License, meter, pause and prove AI compute.",
        "関所：計算資源の一時停止ボタン。AI 計算の許可・計量・停止・証明を行います。",
    ),
    "cli.version": ("Print the version and stop.", "バージョンを表示して終了します。"),
    "cli.json": (
        "Print one JSON document, and nothing else, on standard output.",
        "標準出力には JSON 文書を一つだけ出力します。",
    ),
    "cli.error": ("error", "エラー"),
    "cli.remedy": ("what to do", "対処"),
    "cli.unexpected": (
        "an error in Sekisho itself: {kind}: {why}",
        "関所自体の不具合です：{kind}：{why}",
    ),
    "cli.unexpected.remedy": (
        "run it again with SEKISHO_DEBUG=1 for the details and report them",
        "SEKISHO_DEBUG=1 を付けて再実行し、表示された詳細を報告してください",
    ),
    "cli.file": ("cannot use this path: {why}", "このパスは使えません：{why}"),
    "cli.file.remedy": (
        "check that it exists and that you may use it",
        "存在することと、利用する権限があることを確認してください",
    ),
    "cli.usage.remedy": ("see {command} --help", "{command} --help を参照してください"),
    "cli.ended-input": (
        "the input ended before the question was answered",
        "質問に答える前に入力が終わりました",
    ),
    "cli.interrupted": ("interrupted", "中断しました"),
    # --- one line for each command, shown by `sekisho --help`
    "cli.command.access": (
        "Suspend access to served models, and lock weights to a licence.",
        "提供中のモデルの利用を停止し、重みを許可に結び付けて施錠します。",
    ),
    "cli.command.agent": (
        "Run the agent that keeps a host within its licence.",
        "ホストを許可の範囲内に保つエージェントを動かします。",
    ),
    "cli.command.audit": (
        "Check a bundle, a public folder or a log, trusting nobody.",
        "証拠一式、公開フォルダ、ログを、誰も信用せずに検証します。",
    ),
    "cli.command.charter": (
        "Write, read, sign and adopt the charter: who may do what.",
        "憲章（誰が何をできるか）を作成・表示・署名・採択します。",
    ),
    "cli.command.disclosure": (
        "Reveal, check and erase concealed fields; open deposits.",
        "秘匿された項目を開示・検証・消去し、預託を開きます。",
    ),
    "cli.command.drill": (
        "Play the whole loop on a real local workload and narrate it.",
        "この一台の実処理で全工程を予行し、経過を説明します。",
    ),
    "cli.command.key": (
        "Make keys and show their public parts.",
        "鍵を作成し、公開部分を表示します。",
    ),
    "cli.command.licence": (
        "Decide runs, issue licences and read their books.",
        "計算を判定し、許可を発行し、帳簿を表示します。",
    ),
    "cli.command.log": (
        "Check a log's files and proofs.",
        "ログのファイルと証明を検査します。",
    ),
    "cli.command.meter": (
        "Bound and estimate the FLOP of runs.",
        "計算の FLOP を上下限と推定値で示します。",
    ),
    "cli.command.lease": (
        "Ask for, grant, carry and list leases by hand.",
        "リースを手渡しで申請・付与・運搬し、一覧にします。",
    ),
    "cli.command.observe": (
        "Say what an observer of halts would see on this machine.",
        "停止の観察者がこの機械で何を見られるかを示します。",
    ),
    "cli.command.order": (
        "Draft, sign, issue and follow holds, pauses and resumes.",
        "保留・一時停止・再開の命令を起案・署名・発出・追跡します。",
    ),
    "cli.command.rules": (
        "Decide runs under a dated rule pack, with every reason.",
        "施行日付きの規則パックに基づき、理由を付けて計算を判定します。",
    ),
    "cli.command.show": (
        "Say in words what a document means, before anyone signs it.",
        "署名の前に、文書の意味を言葉で示します。",
    ),
    "cli.command.tables": (
        "Make a home's tables again from its log, or check them.",
        "表をログから作り直すか、照合します。",
    ),
    "cli.command.trust": (
        "Choose which regimes you trust: charter, log and witnesses.",
        "信頼する体制（憲章・ログ・立会人）を選びます。",
    ),
    "cli.command.up": (
        "Serve the console, the API and the public log until Ctrl-C.",
        "Ctrl-C まで、管理画面・API・公開ログを提供します。",
    ),
    # --- the auditor: each check's question, the verdicts, and what a verdict does not cover
    "audit.check.trust-root": ("Is this the regime that you trust?", "信頼する体制のものですか"),
    "audit.check.manifest": (
        "Is every file as listed, and none besides?",
        "全ファイルが目録どおりで、余分もありませんか",
    ),
    "audit.check.log-tree": (
        "Do the entries give the log's tree?",
        "記録からログの木が再現できますか",
    ),
    "audit.check.checkpoint-signature": (
        "Did the log sign its checkpoint?",
        "チェックポイントはログの署名ですか",
    ),
    "audit.check.witnessed": (
        "Did independent witnesses see it?",
        "独立した立会人が確認しましたか",
    ),
    "audit.check.seen-checkpoints": (
        "Did others see the same log?",
        "他者も同じログを見ましたか",
    ),
    "audit.check.time-marks": ("Are the log's times witnessed?", "ログの時刻は立会い済みですか"),
    "audit.check.charter": (
        "Does each charter follow the one before?",
        "憲章は順に引き継がれていますか",
    ),
    "audit.check.signatures": (
        "Had every signer the power at that place?",
        "署名者は皆、その時点で権限がありましたか",
    ),
    "audit.check.uniqueness": ("Is nothing said twice?", "重複はありませんか"),
    "audit.check.registers": (
        "Are the orders without a gap, valid and in time?",
        "命令に欠番がなく、有効で期限内ですか",
    ),
    "audit.check.orders-in-force": (
        "Do the heartbeats tell the registers?",
        "定時報告は登録簿と一致しますか",
    ),
    "audit.check.packs": (
        "Are the rule packs those that were published?",
        "規則パックは公布されたものですか",
    ),
    "audit.check.decisions": ("Do the rules give the decisions?", "規則から同じ判定が得られますか"),
    "audit.check.licences": (
        "Is each licence for what was declared?",
        "許可は申告どおりのものですか",
    ),
    "audit.check.leases": ("Was each lease rightly granted?", "各リースは正しく付与されましたか"),
    "audit.check.receipts": ("Are the receipt chains whole?", "受領証の連鎖は完全ですか"),
    "audit.check.counters": (
        "Do the TPMs vouch for the certified counters?",
        "証明付きカウンターは TPM の証明どおりですか",
    ),
    "audit.check.budgets": ("Do the books add up?", "収支は合っていますか"),
    "audit.check.deposits": (
        "Is what is concealed deposited, and what is erased gone?",
        "秘匿項目は預託され、消去済みの項目は残っていませんか",
    ),
    "audit.check.custody": (
        "Are the custody events those of the log?",
        "管理の記録はログのとおりですか",
    ),
    "audit.check.endorsements": ("Who signed which document?", "各文書は誰の署名ですか"),
    "audit.check.standings": (
        "Do the events give each chip's holder?",
        "記録から各チップの管理者が導けますか",
    ),
    "audit.check.chip-tags": ("Is each chip registered once?", "各チップの登録は一度だけですか"),
    "audit.check.irregularities": (
        "Are the findings about what is disclosed?",
        "不整合の指摘は開示内容と合っていますか",
    ),
    "audit.check.balances": (
        "Do the closed balances follow from the events?",
        "締めた収支は記録から導けますか",
    ),
    "audit.check.usage-reports": (
        "Is each period's usage reported once, and each correction of what stands?",
        "各期間の利用報告は一つで、訂正は有効な報告に対するものですか",
    ),
    "audit.check.usage-evidence": (
        "Are the readings at hand that usage reports rest on?",
        "利用報告の根拠となる計測記録はありますか",
    ),
    "audit.check.access": (
        "Does each roll-up of a served model say what the suspensions over it made of it?",
        "提供モデルの集計は、対象となる利用停止命令のとおりですか",
    ),
    "audit.check.weights-keys": (
        "Was each key of locked weights given as its licence and the orders allow?",
        "施錠された重みの鍵は、許可と命令に従って交付されましたか",
    ),
    "audit.check.effects": ("Did halted work stay halted?", "停止した計算は停止し続けましたか"),
    "audit.check.halts": (
        "Is each halt as sure as it is said to be?",
        "停止の確かさは主張どおりですか",
    ),
    "audit.verdict": ("Verdict:", "結論："),
    "audit.verdict.holds": ("holds", "成立"),
    "audit.verdict.fails": ("fails", "不成立"),
    "audit.verdict.unverifiable": ("unverifiable", "検証不能"),
    "audit.limits": ("What this does not cover:", "この結論が及ばない範囲："),
    "audit.limit.honest": (
        "a signature proves a record unchanged, not honest",
        "署名は記録が変わっていないことを示し、正直であることは示しません",
    ),
    "audit.limit.submitted": (
        "what was never submitted to the log leaves no trace here",
        "ログに提出されなかったことの痕跡はここにはありません",
    ),
    "audit.limit.unseen": (
        "nobody compared this with what others saw of the log: bring their checkpoints with --seen",
        "他者が見たログとの照合はしていません。--seen でチェックポイントを持ち寄ってください",
    ),
    "audit.limit.network": (
        "this host did not let the auditor give up its network",
        "この機械では、検証者のネットワークを切り離せませんでした",
    ),
    "audit.limit.accepted": (
        "taken on trust, by name: {check} ({detail})",
        "名指しで信用して受け入れたもの：{check}（{detail}）",
    ),
    "audit.limit.unread": (
        "listed, and read by no check: {path}",
        "目録にあるが、どの検査も読まないもの：{path}",
    ),
    "audit.limit.outage": (
        "the log stood still from {start} to {end}: nothing was ordered or leased, and no heartbeat was given",
        "ログは {start} から {end} まで止まっていました。その間、命令もリースも鼓動もありません",
    ),
    "audit.limit.until": (
        "covers the log up to its checkpoint of {size} entries, witnessed at {time}",
        "対象は {time} に立会い済みの {size} 件までのログです",
    ),
    "audit.limit.custody": (
        "custody that closes shows that no record was changed, not that the records are honest: a chip that nobody registered is invisible, and a label proves no silicon unless a device key answered a challenge",
        "管理の記録の整合が示すのは、記録が変更されていないことであり、正直さではありません。登録されていないチップは見えず、装置の鍵が課題に答えないかぎり、ラベルは実物の証明になりません",
    ),
    "audit.limit.irregularities": (
        "irregularities stand in the books of chips: {count}; ask what became of each",
        "チップの帳簿に不整合が {count} 件あります。それぞれの結末を尋ねてください",
    ),
    "audit.limit.finding": (
        "a finding stands: {finding} at {host}: {detail}",
        "所見あり：{finding}（{host}）：{detail}",
    ),
    "audit.limit.findings": ("and {count} findings more", "ほかに所見 {count} 件"),
    "audit.limit.counter": (
        "host {host} counts on tier {tier}: whoever owns its disk or hypervisor can set it back",
        "{host} の計数器は {tier} です。ディスクや仮想化基盤の持ち主は巻き戻せます",
    ),
    "audit.limit.emulated": (
        "host {host} has an emulated device: what it shows proves the protocol, not silicon",
        "{host} には模擬装置があります。示せるのは手順であり、実物の装置ではありません",
    ),
    "audit.limit.declared": (
        "the peak of host {host} is declared, not taken from a table",
        "{host} の最大性能は申告値であり、表によるものではありません",
    ),
    "audit.limit.halt": (
        "the halt of {host} is {degree} and that lapses at {lapses}; its limits: {limits}",
        "{host} の停止は {degree} で、{lapses} に失効します。その限界：{limits}",
    ),
    "audit.limit.challenge": (
        "that the device of {host} answered in {ms} ms, of {limit} ms given, is its judge's word",
        "{host} の装置が制限 {limit} ミリ秒のうち {ms} ミリ秒で答えたことは、判定者の言葉によります",
    ),
    "audit.progress": ("Reading the log", "ログを読んでいます"),
    # --- the trust file
    "trust.added": ("From now on you trust:", "これより次の体制を信頼します："),
    "trust.removed": (
        "You no longer trust the log {origin}.",
        "ログ {origin} の信頼をやめました。",
    ),
    "trust.none": (
        "You trust no regime yet: every audit will be unverifiable.",
        "信頼する体制はまだありません。どの検証も「検証不能」になります。",
    ),
    "trust.words": (
        (
            "the regime whose first charter is {charter}\n"
            "  its log {origin}, by the key {log_key}\n"
            "  a checkpoint counts once {needed} of {count} witnesses have signed it: {names}"
        ),
        (
            "最初の憲章が {charter} である体制\n"
            "  そのログ {origin}（鍵 {log_key}）\n"
            "  チェックポイントは立会人 {count} 名中 {needed} 名の署名で有効：{names}"
        ),
    ),
    # --- lengths of time and instants
    "length.d": ("{count} d", "{count} 日"),
    "length.h": ("{count} h", "{count} 時間"),
    "length.m": ("{count} min", "{count} 分"),
    "length.s": ("{count} s", "{count} 秒"),
    "when.ahead": ("in {length}", "{length}後"),
    "when.past": ("{length} ago", "{length}前"),
    "cli.no-log": (
        "unverifiable: no log was read under a trust root of yours; name a log (--log) and its root (sekisho trust add, --policy or --home)",
        "検証不能：信頼の起点に基づくログを読めません。ログ（--log）と信頼の起点（sekisho trust add、--policy、--home）を指定してください",
    ),
    "licence.none": ("No licence was ever issued.", "許可はまだ一つも発行されていません。"),
    "licence.line": (
        "{number} ({status}): run {run} of {licensee} on {hosts}, until {until}",
        "{number}（{status}）：{licensee} の {run}、ホスト {hosts}、期限 {until}",
    ),
    "licence.status.in-force": ("in force", "有効"),
    "licence.status.early": ("not yet valid", "開始前"),
    "licence.status.over": ("over", "終了"),
    "licence.status.revoked": ("REVOKED", "取消し"),
    "licence.books": (
        "budget {budget} = available {available} + leased {leased} + consumed {consumed} + forfeited {forfeited}",
        "予算 {budget} = 残 {available} + 貸出 {leased} + 消費 {consumed} + 没収 {forfeited}",
    ),
    "licence.undisclosed": (
        "budget {budget}; accounts not known, undisclosed amounts: {count} (--disclosures opens them)",
        "予算 {budget}。内訳は不明：{count} 件が非開示です（--disclosures で確認できます）",
    ),
    "licence.lease-line": (
        "lease {host} {number} until {until}: allowance {allowance}, consumed {consumed}; {how}",
        "リース {host} 第 {number} 号、{until} まで：枠 {allowance}、消費 {consumed}、{how}",
    ),
    "licence.hidden": ("undisclosed", "非開示"),
    "licence.open": ("open, {length} left", "継続中、残り {length}"),
    "licence.ended.final-receipt": ("closed by its final receipt", "最終受領証により終了"),
    "licence.ended.forfeited": ("ran out, the rest forfeited", "期限切れ、残りは没収"),
}
