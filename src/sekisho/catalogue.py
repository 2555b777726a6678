"""Messages for people, in English and Japanese, in one place.

A key is `room.what`; both languages name the same values in braces. Codes, ids, digests and the
words of the wire are never translated. A key that is missing here is a defect, so `say` raises.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

__all__ = ["MESSAGES", "Language", "say"]

Language = Literal["en", "ja"]

MESSAGES: Final[Mapping[str, tuple[str, str]]] = {
    # --- up and drill
    "up.serving": (
        "Sekisho serves {home} at {address} (Ctrl-C ends it). Every key of a rehearsed regime is in this one hand.",
        "関所が {home} を {address} で公開しています（Ctrl-C で終了）。予行用の体制では、すべての鍵がこの一台にあります。",
    ),
    "up.trusted": (
        "The regime's trust root was added to {file}.",
        "この体制の信頼の起点を {file} に追加しました。",
    ),
    "drill.found": (
        "Found a regime: charter, log, two witnesses",
        "体制を創設する：憲章、ログ、二つの証人",
    ),
    "drill.enrol": (
        "Enrol hosts, devices and the licensee",
        "ホスト、装置、被許可者を登録する",
    ),
    "drill.decide": (
        "Publish the rules, declare the runs, decide",
        "規則を公布し、学習を申告し、判定する",
    ),
    "drill.license": ("License the runs by quorum", "定足数の署名で学習を許可する"),
    "drill.meter": (
        "Run under leases: reserve, spend, meter",
        "リースの下で走らせる：予約し、使い、計量する",
    ),
    "drill.pause": (
        "Pause by quorum: draft, show, sign, issue, halt",
        "定足数で停止を命じる：起案、確認、署名、発令、停止",
    ),
    "drill.observe": (
        "Corroborate: another constituency's observer looks twice",
        "裏付ける：別の構成体の観測者が二度確かめる",
    ),
    "drill.challenge": (
        "Verify: the emulated device fills its memory from a fresh nonce",
        "検証する：模擬装置が新しいノンスで全メモリを埋める",
    ),
    "drill.resume": (
        "Resume by its own quorum, once witnessed",
        "専用の定足数と証人の確認を経て再開する",
    ),
    "drill.blackout": (
        "Kill the control plane: the work stops by itself",
        "管理系を落とす：作業は自ら止まる",
    ),
    "drill.return": (
        "Bring the control plane back: nothing is lost",
        "管理系を戻す：何も失われていない",
    ),
    "drill.audit": (
        "Audit a copy of the evidence, offline, trusting nobody",
        "証拠の写しを、誰も信用せず、オフラインで監査する",
    ),
    "drill.holds": (
        "The drill holds: every step did what was announced.\nEvidence bundle: {bundle}\nHome: {home}",
        "予行は成立：すべての段階が予告どおりに進みました。\n証拠一式：{bundle}\nホーム：{home}",
    ),
    "drill.fails": (
        "The drill fails: the last step above says why.\nEvidence bundle: {bundle}\nHome, with its logs: {home}",
        "予行は不成立：理由は上の最後の段階にあります。\n証拠一式：{bundle}\nホーム（ログを含む）：{home}",
    ),
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
    "cli.command.order": (
        "Draft, sign, issue and follow holds, pauses and resumes.",
        "保留・一時停止・再開の命令を起案・署名・発出・追跡します。",
    ),
    "cli.command.rules": (
        "Decide runs under a dated rule pack, with every reason.",
        "施行日付きの規則集に基づき、理由を付けて計算を判定します。",
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
    # --- projections: made again, or compared with what log and private store give
    "tables.bar": ("reading the log", "ログを読み込み中"),
    "tables.done": (
        "done: the tables tell of {size} entries",
        "完了：{size} 件の記録から表を作成",
    ),
    "tables.holds": (
        "holds: byte for byte what {size} entries and the private store give",
        "一致：記録 {size} 件と非公開保管庫から得たものと全バイト一致",
    ),
    "tables.fails": (
        "fails: {count} row(s) differ from what {size} entries and the private store give",
        "不一致：記録 {size} 件と非公開保管庫から得たものと {count} 行が相違",
    ),
    "tables.unverifiable": (
        "rows with an amount that nobody here can open: {count}",
        "開示情報がなく確認できない数値を含む行：{count}",
    ),
    "tables.nothing": (
        "unverifiable: there is nothing to compare",
        "検証不能：照合するものがありません",
    ),
    "tables.first": (
        "the first is in table {table}, key {row}:",
        "最初の相違：表 {table}、キー {row}",
    ),
    "tables.kept": ("kept", "現在"),
    "tables.made": ("made again", "再作成"),
    "tables.none": ("no such row", "行なし"),
    "tables.behind": (
        "entries that the tables do not tell of yet: {count}",
        "表に未反映の記録：{count} 件",
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
    "audit.check.decisions": ("Do the rules give the decisions?", "規則から同じ判定が得られますか"),
    "audit.check.licences": (
        "Is each licence for what was declared?",
        "許可は申告どおりのものですか",
    ),
    "audit.check.leases": ("Was each lease rightly granted?", "各リースは正しく付与されましたか"),
    "audit.check.receipts": ("Are the receipt chains whole?", "受領証の連鎖は完全ですか"),
    "audit.check.budgets": ("Do the books add up?", "収支は合っていますか"),
    "audit.check.deposits": (
        "Is what is concealed deposited, and what is erased gone?",
        "秘匿項目は預託され、消去済みの項目は残っていませんか",
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
    # --- the log: copies, monitor, evidence, rotation
    "log.mirror.bar": ("copying", "複製中"),
    "log.mirror.copied": (
        "{at} copied: {size} entries, {written} files written",
        "{at} 複製済み：{size} 件、{written} ファイル",
    ),
    "log.mirror.same": (
        "{at} nothing new: {size} entries",
        "{at} 変更なし：{size} 件",
    ),
    "log.mirror.failed": (
        "{at} not copied, the copy is as it was: {problem}",
        "{at} 複製できず、写しは元のまま：{problem}",
    ),
    "log.monitor.bar": ("reading", "読込み中"),
    "log.monitor.heartbeat": (
        "{at} {origin}: {size} entries, {answered} of {sources} sources answered, newest seen {since}",
        "{at} {origin}：{size} 件、{sources} 箇所中 {answered} 箇所が応答、最新の確認 {since}",
    ),
    "log.monitor.forked": (
        "THIS LOG FORKED. Evidence: {paths}",
        "このログは分岐しています。証拠：{paths}",
    ),
    "log.finding.fork": (
        "fork: {source} shows another log than was seen before{detail}; evidence: {path}",
        "分岐：{source} が以前と異なるログを提示{detail}。証拠：{path}",
    ),
    "log.finding.shrank": (
        "went back: {source} shows a smaller log than before: {detail}{path}",
        "後退：{source} のログが以前より小さい：{detail}{path}",
    ),
    "log.finding.damaged": (
        "damaged: the files of {source} do not give its checkpoint: {detail}{path}",
        "破損：{source} のファイルがチェックポイントと一致しない：{detail}{path}",
    ),
    "log.finding.missing": (
        "missing at {source}: {detail}{path}",
        "{source} に欠落：{detail}{path}",
    ),
    "log.finding.unreadable": (
        "no checkpoint of this log at {source}: {detail}{path}",
        "{source} にこのログのチェックポイントがない：{detail}{path}",
    ),
    "log.finding.unwitnessed": (
        "not witnessed enough at {source}: {detail}{path}",
        "{source} で立会い不足：{detail}{path}",
    ),
    "log.finding.silent": (
        "no answer from {source}: {detail}{path}",
        "{source} の応答なし：{detail}{path}",
    ),
    "log.finding.stale": (
        "stale: nobody shows anything newer {source}for {detail}{path}",
        "停滞：{source}新しいチェックポイントがない {detail}{path}",
    ),
    "log.finding.over": (
        "over, since {since} it stood: {what}",
        "解消（{since} から継続）：{what}",
    ),
    "log.evidence.two-roots": (
        "{origin} forked: it signed two trees of {larger} entries {detail}",
        "{origin} は分岐：{larger} 件の異なる二つの木に署名 {detail}",
    ),
    "log.evidence.not-a-prefix": (
        "{origin} forked: the tree of {smaller} entries that it signed is not the beginning of the one of {larger} that it signed {detail}",
        "{origin} は分岐：署名済みの {smaller} 件の木は、署名済みの {larger} 件の木の先頭ではない {detail}",
    ),
    "log.evidence.no-hashes": (
        "two signed checkpoints, of {smaller} and {larger} entries, without the hashes that show whether they are of one log; take these from the log's tiles {detail}",
        "{smaller} 件と {larger} 件の署名済みチェックポイント。同じログかを示すハッシュがない。ログのタイルから取得を {detail}",
    ),
    "log.evidence.same-tree": (
        "no fork: both checkpoints are of one and the same tree {detail}",
        "分岐ではない：両者は同一の木 {detail}",
    ),
    "log.evidence.prefix": (
        "no fork: the tree of {smaller} entries is the beginning of the one of {larger} {detail}",
        "分岐ではない：{smaller} 件の木は {larger} 件の木の先頭 {detail}",
    ),
    "log.evidence.empty-tree": (
        "no fork: every log begins with the empty tree {detail}",
        "分岐ではない：どのログも空の木から始まる {detail}",
    ),
    "log.evidence.two-logs": (
        "no fork: these are checkpoints of two logs: {detail}",
        "分岐ではない：二つの別のログのチェックポイント：{detail}",
    ),
    "log.evidence.not-signed": (
        "not evidence: the log did not sign this: {detail}",
        "証拠ではない：ログの署名がない：{detail}",
    ),
    "log.evidence.bad-hashes": (
        "not evidence: the hashes do not lead to the signed root: {detail}",
        "証拠ではない：ハッシュが署名済みの根に至らない：{detail}",
    ),
    "log.evidence.both": (
        "both sides were cosigned by {names}: these witnesses broke their promise",
        "両方に連署した立会人：{names}。約束に違反",
    ),
    "show.kind.fork": ("Evidence that a log forked", "ログの分岐の証拠"),
    "show.fork.means": (
        "two checkpoints that one log signed; whether they convict it, the log's key alone decides: sekisho log check-evidence",
        "一つのログが署名した二つのチェックポイント。分岐の証拠になるかはログの鍵だけで判定できます：sekisho log check-evidence",
    ),
    "show.warn.forked": (
        "THIS LOG FORKED, by its own signature: {why}",
        "このログは自らの署名により分岐が証明されています：{why}",
    ),
    "show.warn.cosigned-both": (
        "Witness {name} cosigned both sides.",
        "立会人 {name} は両方に連署しました。",
    ),
    "log.serve.ready": (
        "serves {folder} at {address}",
        "{folder} を {address} で公開中",
    ),
    "log.run.ready": (
        "the log runs at {address}, {size} entries\n  append: POST {address}/add\n  verify by: {vkeys}",
        "ログが {address} で稼働中。エントリー {size} 件\n  追記：POST {address}/add\n  検証の鍵：{vkeys}",
    ),
    "log.run.witness": (
        "witness {name}: {why}; checkpoints wait where the quorum needs it",
        "立会人 {name}：{why}。定足数に必要なら、チェックポイントの公開は待機",
    ),
    "log.run.gave-up": (
        "nothing is published or taken in any more: {why}",
        "公開と受付を停止：{why}",
    ),
    "log.run.well": ("every witness answers again", "すべての立会人が再び応答"),
    "log.rebuild.bar": ("entries", "エントリー"),
    "log.rebuild.done": (
        "the database of {home} holds {size} entries again, all that was published",
        "{home} のデータベースに公開済みの {size} 件をすべて復元しました",
    ),
    "log.witness.ready": (
        "witness {name} answers at {address}; its lines for a policy:",
        "立会人 {name} が {address} で応答。ポリシーに書く行：",
    ),
    "log.witness.rotating": (
        "both keys cosign once the witness is started anew; give the new line to those who trust it, then: rotate --finish",
        "立会人を再起動すると両方の鍵で連署します。新しい行を配布してから rotate --finish",
    ),
    "log.witness.finished": (
        "the old key is gone; start the witness anew",
        "古い鍵を破棄しました。立会人を再起動してください",
    ),
    "log.rotate.begun": (
        "the log's next key is {vkey}\n  start the control plane of {home} anew: both keys sign; have the charter name the new one, then: sekisho log rotate --finish",
        "ログの次の鍵：{vkey}\n  {home} の管理系を再起動すると両方の鍵で署名します。憲章に新しい鍵を記載してから sekisho log rotate --finish",
    ),
    "log.rotate.finished": (
        "the log signs as {vkey} alone; start the control plane of {home} anew",
        "ログは {vkey} のみで署名します。{home} の管理系を再起動してください",
    ),
    # --- lengths of time and instants
    "length.d": ("{count} d", "{count} 日"),
    "length.h": ("{count} h", "{count} 時間"),
    "length.m": ("{count} min", "{count} 分"),
    "length.s": ("{count} s", "{count} 秒"),
    "when.ahead": ("in {length}", "{length}後"),
    "when.past": ("{length} ago", "{length}前"),
    # --- documents in words: labels
    "show.label.number": ("number", "番号"),
    "show.label.log": ("log", "ログ"),
    "show.label.charter": ("charter", "憲章"),
    "show.label.scope": ("for", "対象"),
    "show.label.covers": ("covers", "対象の数と名"),
    "show.label.exempt": ("goes on", "除外"),
    "show.label.effect": ("effect", "効果"),
    "show.label.grace": ("grace", "猶予"),
    "show.label.drafted": ("dated", "日付"),
    "show.label.begins": ("begins", "開始"),
    "show.label.expires": ("expires", "期限"),
    "show.label.on_expiry": ("at expiry", "期限の到来時"),
    "show.label.issue_until": ("issue until", "発出の期限"),
    "show.label.legal_basis": ("legal basis", "法的根拠"),
    "show.label.appeal": ("appeal", "不服申立て"),
    "show.label.drill": ("drill", "演習"),
    "show.label.lifts": ("lifts", "解除する命令"),
    "show.label.in_force": ("in force now", "現在の効力"),
    "show.label.change": ("would change", "変わること"),
    "show.label.may_sign": ("may be signed by", "署名できる者"),
    "show.label.signed_by": ("signed by", "署名者"),
    "show.label.standing": ("quorum", "定足数"),
    "show.label.read": ("compared with", "照合したもの"),
    "show.label.digest": ("SHA-256", "SHA-256"),
    "show.label.phrase": ("digest phrase", "合言葉"),
    "show.label.run": ("run", "計算"),
    "show.label.lineage": ("lineage", "系譜"),
    "show.label.budget": ("FLOP", "FLOP"),
    "show.label.counting": ("counted", "数え方"),
    "show.label.lease": ("leases", "リース"),
    "show.label.halt": ("max time to halt", "停止までの最長"),
    "show.label.outage": ("max outage", "耐える断絶の最長"),
    "show.label.decision": ("rests on", "判定の根拠"),
    "show.label.answers": ("answers", "応答する要求"),
    "show.label.heads": ("registers at", "登録簿の先頭"),
    "show.label.previous": ("follows", "直前の文書"),
    "show.label.stage": ("says", "段階"),
    "show.label.state": ("work", "処理の状態"),
    "show.label.under": ("under order", "従う命令"),
    "show.label.processes": ("processes", "プロセス数"),
    "show.label.means": ("by", "手段"),
    "show.label.leaves": ("leaves behind", "残るもの"),
    "show.label.checkpoint": ("checkpoint", "チェックポイント"),
    "show.label.name": ("name", "名称"),
    "show.label.constituency": ("constituency", "構成団体"),
    "show.label.key": ("key", "鍵"),
    "show.label.power": ("power", "権限"),
    "show.label.registers": ("registers", "登録簿"),
    "show.label.witnesses": ("witnesses", "立会人"),
    "show.label.witness": ("witness", "立会人"),
    "show.label.cosignature": ("cosigned with", "連署の方式"),
    "show.label.pause_expiry": ("a pause's expiry", "一時停止の満了"),
    "show.label.busy": ("busy, no lease", "リースなき稼働"),
    "show.label.orders_in_force_every_s": ("registers said", "登録簿の公表間隔"),
    "show.label.order_fetch_delay_s": ("fetch delay", "命令の取得猶予"),
    "show.label.witness_deadline_s": ("witnessed within", "立会いの期限"),
    "show.label.clock_error_s": ("clock error", "時計の誤差"),
    "show.label.halt_verdict_s": ("verdict lasts", "判定の有効時間"),
    "show.label.recovery": ("recovery", "鍵の復旧"),
    "show.label.field": ("field", "項目"),
    "show.label.files": ("files", "ファイル"),
    "show.label.file": ("file", "ファイル"),
    "show.label.quorum": ("quorum", "定足数"),
    "show.label.size": ("size", "件数"),
    "show.label.root": ("root hash", "根ハッシュ"),
    "show.label.extension": ("extension", "拡張行"),
    "show.label.algorithm": ("algorithm", "方式"),
    "show.label.spki": ("public key", "公開鍵"),
    "show.label.holder": ("held by", "保持者"),
    "show.label.meaning": ("means", "意味"),
    # --- documents in words: titles
    "show.kind.pause": ("Order: PAUSE", "命令：一時停止"),
    "show.kind.hold": ("Order: HOLD", "命令：保留"),
    "show.kind.cap": ("Order: CAP", "命令：上限"),
    "show.kind.suspend-access": ("Order: SUSPEND ACCESS", "命令：利用停止"),
    "show.kind.resume": ("Order: RESUME", "命令：再開"),
    "show.kind.licence": ("Licence", "許可証"),
    "show.kind.lease": ("Lease", "リース"),
    "show.kind.receipt": ("Receipt of a host", "ホストの受領証"),
    "show.kind.charter": ("Charter", "憲章"),
    "show.kind.other": ("Statement: {kind}", "文書：{kind}"),
    "show.kind.manifest": ("Manifest of an evidence bundle", "証拠一式の目録"),
    "show.kind.trust-root": ("Trust root", "信頼の起点"),
    "show.kind.trust-file": ("Trust file", "信頼ファイル"),
    "show.kind.policy": ("Witness policy", "立会いの方針"),
    "show.kind.checkpoint": ("Checkpoint of a log", "ログのチェックポイント"),
    "show.kind.proof": ("Proof that an entry is in a log", "ログへの記載の証明"),
    "show.kind.vkey": ("Verifier key of a log or witness", "ログまたは立会人の検証鍵"),
    "show.kind.public-key": ("Public key", "公開鍵"),
    "show.kind.private-key": (
        "Private key (only its public part is shown)",
        "秘密鍵（公開部分だけを示します）",
    ),
    # --- orders in words
    "show.order.number": (
        "{register} no. {number}, after {previous}",
        "{register} 第 {number} 号（直前：{previous}）",
    ),
    "show.charter.unknown": ("{digest} (not known here)", "{digest}（ここでは未確認）"),
    "show.charter.same": (
        '{digest}: version {version} of "{name}", in force',
        "{digest}：「{name}」第 {version} 版（施行中）",
    ),
    "show.scope.everywhere": (
        "EVERYWHERE: every host of the regime",
        "全域：この体制のすべてのホスト",
    ),
    "show.scope.nobody": ("nobody", "対象なし"),
    "show.scope.and": (" and ", "、かつ "),
    "show.scope.sites": ("sites {names}", "拠点 {names}"),
    "show.scope.licensees": ("licensees {names}", "許可を受けた者 {names}"),
    "show.scope.licences": ("licences {names}", "許可 {names}"),
    "show.scope.runs": ("runs {names}", "計算 {names}"),
    "show.scope.lineages": ("lineages {names}", "系譜 {names}"),
    "show.scope.chips": ("chips {names}", "チップ {names}"),
    "show.scope.jurisdictions": ("jurisdictions {names}", "法域 {names}"),
    "show.scope.hosts": ("hosts {names}", "ホスト {names}"),
    "show.covers.unknown": ("not known: no log was read", "不明：ログを読んでいません"),
    "show.covers.hosts": ("hosts: {count} ({names})", "ホスト {count} 台：{names}"),
    "show.covers.sites": ("sites: {count} ({names})", "拠点 {count} か所：{names}"),
    "show.covers.runs": ("licensed runs: {count} ({names})", "許可済みの計算 {count} 件：{names}"),
    "show.covers.licensees": ("licensees: {count} ({names})", "許可を受けた者 {count} 者：{names}"),
    "show.covers.devices": ("devices: {count} (root {root})", "装置 {count} 台（根 {root}）"),
    "show.effect.checkpoint-then-stop": (
        "checkpoint, then stop: the work saves its state, its processes are ended, device memory is released",
        "保存して停止：処理は状態を保存し、プロセスは終了し、装置のメモリは解放されます",
    ),
    "show.effect.freeze": (
        "freeze: processes are stopped where they stand; memory stays as it is",
        "凍結：プロセスはその場で止まり、メモリの内容は残ります",
    ),
    "show.effect.cap": (
        "cap: the work goes on at {percent} percent",
        "上限：処理は {percent} パーセントで続きます",
    ),
    "show.effect.suspend-access": (
        "access to the served model is suspended",
        "提供中のモデルの利用を停止します",
    ),
    "show.effect.lift": (
        "lift: what it names no longer restrains; other orders still do",
        "解除：挙げられた命令は効力を失います。他の命令は残ります",
    ),
    "show.on_expiry.lapse": (
        "it lapses: work may go on by itself",
        "失効：処理は自動的に続行できます",
    ),
    "show.on_expiry.refuse-until-resume": (
        "it stays: new work is refused until a resume",
        "存続：再開命令まで新しい処理は拒まれます",
    ),
    "show.drill": (
        "yes: it acts only on each site's declared canary workload",
        "演習：各拠点が届け出た試験用の処理にだけ働きます",
    ),
    "show.lifts.in_force": ("{order}: in force now, for {scope}", "{order}：施行中、対象は{scope}"),
    "show.lifts.over": (
        "{order}: NOT in force now; it was for {scope}",
        "{order}：現在は効力なし、対象は{scope}",
    ),
    "show.in_force.nothing": (
        "nothing for those in scope ({orders})",
        "対象に効力のある命令なし（{orders}）",
    ),
    "show.in_force.cap": ("at the strictest: a cap ({orders})", "最も厳しいもの：上限（{orders}）"),
    "show.in_force.freeze": (
        "at the strictest: freeze ({orders})",
        "最も厳しいもの：凍結（{orders}）",
    ),
    "show.in_force.checkpoint-then-stop": (
        "at the strictest: checkpoint, then stop ({orders})",
        "最も厳しいもの：保存して停止（{orders}）",
    ),
    "show.demand.nothing": ("no restraint", "制限なし"),
    "show.demand.cap": ("cap", "上限"),
    "show.demand.freeze": ("freeze", "凍結"),
    "show.demand.checkpoint-then-stop": ("checkpoint, then stop", "保存して停止"),
    "show.demand.suspend-access": ("access suspended", "利用停止"),
    "show.demand.lift": ("lift", "解除"),
    "show.change": (
        "{before} becomes {after}; hosts: {count} ({names})",
        "{before} → {after}：ホスト {count} 台（{names}）",
    ),
    "show.change.none": ("nothing", "何も変わりません"),
    "show.change.unknown": ("not known: no log was read", "不明：ログを読んでいません"),
    # --- who may sign, who did
    "show.power": (
        "power {power}: {quorums} (charter version {version})",
        "権限 {power}：{quorums}（憲章第 {version} 版）",
    ),
    "show.power.unknown": (
        "power {power}; by whose keys is not known: no charter was read",
        "権限 {power}。どの鍵によるかは不明：憲章を読んでいません",
    ),
    "show.power.limited": ("{quorums}, at most {limit}", "{quorums}、最長 {limit}"),
    "show.signer.host": ("the host's own key", "ホスト自身の鍵"),
    "show.signer.party": ("the party's own key", "当事者自身の鍵"),
    "show.signer.device": ("the device's own key", "装置自身の鍵"),
    "show.signer.log": ("the log's key", "ログの鍵"),
    "show.signer.witness-of-fault": (
        "the host, an observer or a lease issuer",
        "ホスト、観察者、またはリースの発行者",
    ),
    "show.signer.key-itself": ("the very key that it names", "文書が名指す鍵自身"),
    "show.signer.recovery": ("the charter's recovery keys", "憲章の復旧用の鍵"),
    "show.signer.veto": ("the constituency that it names", "文書が名指す構成団体"),
    "show.unsigned": ("nobody yet", "まだ誰も署名していません"),
    "show.in-force": (
        "its quorums, as the log shows: it is in force",
        "必要な定足数が署名済みです（ログで確認、発効中）",
    ),
    "show.signed": ("{name} (key {id})", "{name}（鍵 {id}）"),
    "show.standing.met": ("met: {parts}", "満たしています：{parts}"),
    "show.standing.open": ("NOT met: {parts}", "満たしていません：{parts}"),
    "show.read.no_root": (
        "nothing: no trust root covers this, so nothing here is verified",
        "なし：信頼の起点がないため、内容は検証されていません",
    ),
    "show.read.no_log": (
        "the trust root of {origin} only; no log was read",
        "{origin} の信頼の起点のみ。ログは読んでいません",
    ),
    "show.read.log": (
        "log {origin}, {size} entries, witnessed {at}",
        "ログ {origin}、{size} 件、立会い {at}",
    ),
    # --- licences, leases and receipts in words
    "show.licence.run": ("{run} of {licensee}", "{licensee} の {run}"),
    "show.licence.budget": ("{short} in all ({flop})", "合計 {short}（{flop}）"),
    "show.licence.lease": (
        "leases of {interval}, grace {grace}, reserved by quanta of {quantum}",
        "リース {interval}、猶予 {grace}、{quantum} ごとに予約",
    ),
    "show.licence.halt": (
        "{length} (lease, grace and one quantum), without any contact",
        "{length}（リース＋猶予＋1 区間）。連絡がなくても必ず停止",
    ),
    "show.licence.outage": (
        "{length} (lease and grace); hosts of tier C0 and C1 only {online}",
        "{length}（リース＋猶予）。C0・C1 のホストは {online} まで",
    ),
    "show.licence.held": (
        "licence {number} over {budget}, until {until}",
        "許可 {number}、{budget}、{until} まで",
    ),
    "show.licence.over": (
        "licence {number} over {budget}, ended {until}",
        "許可 {number}、{budget}、{until} に終了",
    ),
    "show.licence.first": ("run {run} has no licence yet", "計算 {run} にはまだ許可がありません"),
    "show.counting.reserved-at-peak": (
        "reserved at peak before it is spent",
        "使う前に、最大性能で予約して数えます",
    ),
    "show.mode.advise": (
        "at the end of permission: a finding, nothing is stopped",
        "許可が切れたとき：指摘のみで、停止しません",
    ),
    "show.mode.block-new": (
        "at the end of permission: new work is refused, running work goes on",
        "許可が切れたとき：新規を拒み、実行中の処理は続きます",
    ),
    "show.mode.drain": (
        "at the end of permission: checkpoint, then stop",
        "許可が切れたとき：保存して停止します",
    ),
    "show.mode.freeze": (
        "at the end of permission: frozen in place",
        "許可が切れたとき：その場で凍結します",
    ),
    "show.mode.kill": (
        "at the end of permission: ended at once",
        "許可が切れたとき：直ちに終了させます",
    ),
    "show.decision.permit": (
        "permit, by {pack}; rules: {rules}",
        "許可不要（permit）、規則集 {pack}、規則：{rules}",
    ),
    "show.decision.report": (
        "report, by {pack}; rules: {rules}",
        "届出（report）、規則集 {pack}、規則：{rules}",
    ),
    "show.decision.licence": (
        "licence required, by {pack}; rules: {rules}",
        "要許可（licence）、規則集 {pack}、規則：{rules}",
    ),
    "show.lineage.scratch": ("from scratch", "新規の学習"),
    "show.lineage.unknown": (
        "ORIGIN UNKNOWN: no parent is named",
        "由来不明：親が示されていません",
    ),
    "show.lineage.parents": ("from {names}", "{names} から"),
    "show.lease.number": ("no. {number} of host {host}", "ホスト {host} の第 {number} 号"),
    "show.lease.on_expiry": (
        "the work stops after the licence's grace, without any contact",
        "連絡がなくても、許可の定める猶予の後に処理は停止します",
    ),
    "show.lease.answers": ("request {request}, nonce {nonce}", "要求 {request}、ナンス {nonce}"),
    "show.concealed": (
        "concealed: {count} salted digests, opened by their disclosures only",
        "非開示：ソルト付きダイジェスト {count} 個（開示文書でのみ確認できます）",
    ),
    "show.receipt.number": ("no. {sequence} of host {host}", "ホスト {host} の第 {sequence} 号"),
    "show.receipt.state": (
        "{state}; quantum {quantum}, counter tier {tier}",
        "{state}、区間 {quantum}、計数器の等級 {tier}",
    ),
    "show.work.none": ("no work", "処理なし"),
    "show.work.running": ("running", "実行中"),
    "show.work.frozen": ("frozen", "凍結中"),
    "show.work.ended": ("ended", "終了"),
    "show.stage.quantum": ("quantum", "区間"),
    "show.stage.received": ("order received", "命令を受領"),
    "show.stage.checkpointed": ("checkpoint written", "保存済み"),
    "show.stage.halted": ("halted", "停止"),
    "show.stage.resumed": ("resumed", "再開"),
    "show.stage.final": ("lease closed", "リース終了"),
    "show.stage.refused": ("refused", "拒否"),
    "show.checkpoint": (
        "{digest}, {bytes} bytes, step {step}",
        "{digest}、{bytes} バイト、ステップ {step}",
    ),
    "show.checkpoint.size": ("{size} entries", "{size} 件"),
    "show.spend": (
        "lease {lease}: reserved {reserved}, bound {bound}, declared {declared}",
        "リース {lease}：予約 {reserved}、上界 {bound}、申告 {declared}",
    ),
    # --- charters in words
    "show.charter.version": (
        "version {version}, profile {profile}, after {previous}",
        "第 {version} 版、類型 {profile}、直前 {previous}",
    ),
    "show.constituency": ("{name}: keys {count}", "{name}：鍵 {count} 本"),
    "show.charter.key": (
        "{constituency}: {organisation}, {holder} ({id})",
        "{constituency}：{organisation}、{holder}（{id}）",
    ),
    "show.charter.log": ("{origin} of {owner}: {vkey}", "{origin}（{owner}）：{vkey}"),
    "show.charter.witnesses": (
        "{quorum} of {count} must cosign; {faults} may be faulty",
        "{count} 者のうち {quorum} 者の連署が必要。故障は {faults} 者まで",
    ),
    "show.charter.witness": ("{name} of {owner}: {vkey}", "{name}（{owner}）：{vkey}"),
    "show.charter.cosignature": ("{name} until {until}", "{name}、{until} まで"),
    "show.charter.on_expiry": (
        "new licences and amendments end; hold, pause and resume go on",
        "新たな許可と改正は止まり、保留・一時停止・再開は続きます",
    ),
    "show.charter.lease": (
        "at most {interval}, grace at most {grace}",
        "最長 {interval}、猶予は最長 {grace}",
    ),
    "show.charter.halt": (
        "{length}: the longest lease, its grace and one quantum (at most {quantum}), without any contact",
        "{length}：最長のリース＋猶予＋1 区間（最長 {quantum}）。連絡がなくても必ず停止",
    ),
    "show.charter.outage": (
        "{length}: the longest lease and its grace; tiers C0 and C1 one quantum and the grace",
        "{length}：最長のリース＋猶予。等級 C0・C1 は 1 区間＋猶予まで",
    ),
    "show.charter.first": (
        "everything: it is the first version, trusted by its digest alone",
        "すべて：最初の版であり、ダイジェストだけを根拠に信頼されます",
    ),
    "show.charter.in_force": ("nothing: it is the charter in force", "なし：施行中の憲章です"),
    "show.charter.added": (
        "new {what}: {item}: {after} (before: {before})",
        "{what}の追加：{item}：{after}（以前：{before}）",
    ),
    "show.charter.removed": (
        "{what} REMOVED: {item}: {before} (after: {after})",
        "{what}の削除：{item}：{before}（以後：{after}）",
    ),
    "show.charter.changed": (
        "{what} {item}: {before} becomes {after}",
        "{what} {item}：{before} → {after}",
    ),
    "show.part.key": ("key", "鍵"),
    "show.part.power": ("power", "権限"),
    "show.part.witness": ("witness", "立会人"),
    "show.part.register": ("register", "登録簿"),
    "show.part.quorum": ("log rule", "ログの定め"),
    "show.part.term": ("term", "定め"),
    "show.busy.advise": ("a finding only", "指摘のみ"),
    "show.busy.freeze": ("freeze", "凍結"),
    "show.busy.stop": ("stop", "停止"),
    "show.recovery.none": (
        "none: lost keys can only be replaced by an amendment",
        "なし：失われた鍵は改正でのみ置き換えられます",
    ),
    "show.recovery": (
        "{k} of {count} after {days} days of notice: {names}",
        "{count} 者のうち {k} 者、{days} 日の公告の後：{names}",
    ),
    # --- other documents in words
    "show.manifest.files": ("{count} files, {size} bytes", "{count} 個、{size} バイト"),
    "show.manifest.signed": (
        "a signature is there; sekisho audit says whose",
        "署名があります。誰のものかは sekisho audit で確認できます",
    ),
    "show.root.phrase": ("compare by word of mouth: {phrase}", "口頭で照合：{phrase}"),
    "show.root.means": (
        "whoever installs it believes this charter, this log and these witnesses",
        "導入した者は、この憲章・ログ・立会人を信頼することになります",
    ),
    "show.note.claims": ("{name} (claimed)", "{name}（自称）"),
    "show.note.witnessed": ("{name} at {at}, verified", "{name}、{at}、検証済み"),
    "show.proof.index": ("entry {index}, {count} hashes", "{index} 番の記載、ハッシュ {count} 個"),
    "show.proof.means": (
        "it proves only together with the entry's bytes: sekisho audit",
        "記載そのもののバイト列と合わせて初めて証明になります：sekisho audit",
    ),
    # --- what a reader of a document must not miss
    "show.warn.everywhere": (
        "EVERYWHERE: this touches every host of the regime.",
        "全域：この体制のすべてのホストに及びます。",
    ),
    "show.warn.nobody": (
        "It covers no enrolled host.",
        "登録済みのホストは一台も対象になりません。",
    ),
    "show.warn.expired": ("EXPIRED at {at}.", "{at} に期限切れです。"),
    "show.warn.stale": (
        "Signatures were good for issue until {at}: it can no longer be issued.",
        "署名は {at} まで有効でした。もう発出できません。",
    ),
    "show.warn.other-log": (
        "It is for the log {document}; you trust {trusted}.",
        "ログ {document} に対するものです。あなたが信頼するのは {trusted} です。",
    ),
    "show.warn.other-charter": (
        "It stands under charter {order}; in force is {in_force}.",
        "憲章 {order} に基づいています。施行中は {in_force} です。",
    ),
    "show.warn.other-root": (
        "Another charter {trusted} is trusted for {origin}: this one must not pass.",
        "{origin} には別の憲章 {trusted} が信頼されています。これは認められません。",
    ),
    "show.warn.lifts-nothing": (
        "It lifts {order}, which the log does not hold.",
        "解除する {order} はログにありません。",
    ),
    "show.warn.place.logged": (
        "{register} {number} is in the log already.",
        "{register} 第 {number} 号はすでにログにあります。",
    ),
    "show.warn.licence-logged": (
        "{number} is in the log already: this very licence.",
        "{number} は、この許可証そのものがすでにログにあります。",
    ),
    "show.warn.place.taken": (
        "ANOTHER order stands at {register} {number}: two digests at one number are an attack.",
        "{register} 第 {number} 号には別の命令があります。同じ番号に二つの文書があるのは攻撃です。",
    ),
    "show.warn.place.gap": (
        "{register} {number} does not follow its register's head: it would be refused.",
        "{register} 第 {number} 号は登録簿の先頭に続いていません。拒まれます。",
    ),
    "show.warn.place.no-register": (
        "The charter has no register {register} (order {number}).",
        "憲章に登録簿 {register} はありません（第 {number} 号）。",
    ),
    "show.warn.fault": ("It would be refused: {why}", "拒まれます：{why}"),
    "show.warn.charter-fault": (
        "The charter breaks a rule: {why}",
        "憲章が規則に反しています：{why}",
    ),
    "show.warn.charter-break": (
        "Version {version} does not follow version {in_force} in force.",
        "第 {version} 版は施行中の第 {in_force} 版に続いていません。",
    ),
    "show.warn.charter-expired": (
        "The charter expired at {at}: no new licences, no amendments.",
        "憲章は {at} に期限が切れました。新たな許可と改正はできません。",
    ),
    "show.warn.one-owner": (
        "One organisation holds every key: {name}. Nobody checks anybody.",
        "すべての鍵を一つの組織が持っています：{name}。相互の牽制がありません。",
    ),
    "show.warn.mode-stops-nothing": (
        "Mode {mode} stops no running work: the time to halt does not hold.",
        "方式 {mode} は実行中の処理を止めません。停止までの時間は保証されません。",
    ),
    "show.warn.unknown-field": (
        "UNKNOWN FIELD {path} = {value}: this program does not know what it means.",
        "未知の項目 {path} = {value}：このプログラムには意味がわかりません。",
    ),
    "show.warn.unknown-critical": (
        "UNKNOWN AND CRITICAL: {path}. Do not act on this before updating.",
        "未知かつ必須の項目：{path}。更新するまで従わないでください。",
    ),
    "show.warn.unknown-signature": (
        "A signature is by no key known here (it claims {id}): it counts for nothing.",
        "ここで知られていない鍵の署名があります（自称 {id}）。数に入りません。",
    ),
    "show.warn.bad-signature": (
        "BAD SIGNATURE: one claims the key of {name} and does not verify.",
        "不正な署名：{name} の鍵を名乗っていますが検証できません。",
    ),
    "show.warn.doubled": (
        "Key {id} ({name}) signed twice: it counts once.",
        "鍵 {id}（{name}）の署名が二つあります。一つとして数えます。",
    ),
    "show.warn.more-fields": (
        "{count} more are not shown.",
        "ほかに {count} 件は表示していません。",
    ),
    "show.warn.old-log": (
        "The log that was read was witnessed {length} ago: what came since is not in the comparison.",
        "読んだログの立会いは {length}前です。その後の記載は照合に含まれていません。",
    ),
    "show.warn.no-root": (
        "No trust root covers {origin}: nothing here is verified.",
        "{origin} の信頼の起点がありません。検証されていません。",
    ),
    "show.warn.not-witnessed": (
        "NOT witnessed as the trust root asks: {why}",
        "信頼の起点が求める立会いがありません：{why}",
    ),
    # --- the signing ceremony
    "sign.phrase": (
        "Type the eight words of the digest phrase to sign (nothing to refuse)",
        "署名するには合言葉の 8 語を入力してください（空欄で中止）",
    ),
    "sign.refused": (
        "the digest phrase is not the one of this document; nothing was signed",
        "合言葉がこの文書のものではありません。署名していません",
    ),
    "sign.refused.remedy": (
        "compare the phrase with the other signers, over another channel",
        "他の署名者と、別の連絡手段で合言葉を照合してください",
    ),
    "sign.done": (
        "Signed with key {id}. Signatures in {file} now: {count}.",
        "鍵 {id} で署名しました。{file} の署名は {count} 個です。",
    ),
    "sign.again": (
        "Key {id} had signed already. Signatures in {file} as before: {count}.",
        "鍵 {id} はすでに署名済みです。{file} の署名は {count} 個のままです。",
    ),
    "sign.exported": (
        "Wrote the {size} bytes to be signed to {file} (SHA-256 {sha256}). Sign that file whole where the key is, then bring the signature in: sign {document} --import-signature SIG --public PUB",
        "署名すべき {size} バイトを {file} に保存しました（SHA-256 {sha256}）。鍵のある場所でこのファイル全体に署名し、署名を取り込んでください：sign {document} --import-signature SIG --public PUB",
    ),
    # --- disclosures
    "disclosure.revealed": (
        "{name} = {value}; the reveal is in {file}: whoever has it knows the field",
        "{name} = {value}。開示書は {file} にあります。持つ者は誰でもこの項目を知ります",
    ),
    "disclosure.limit.proof": (
        "the proof shows the entry, not by whose authority; --log checks that too",
        "証明が示すのは項目の存在だけで、権限は示しません（--log で確認できます）",
    ),
    "disclosure.limit.unopened": (
        "digests of this entry that nobody opened: {count}; one may bear the same name for another reader",
        "この項目の未開示の要約値：{count} 個。同じ名前の別の値が他の読者に示されうる",
    ),
    "disclosure.limit.erased": (
        "its operator stated that it was erased, on the basis {basis}",
        "運用者はこれを消去したと述べています（根拠：{basis}）",
    ),
    "disclosure.opened": (
        "Your share {number} is in {file}; any {threshold} of {holders} open the deposit. Keep it secret.",
        "あなたの分割片 {number} は {file} にあります。{holders} 人中 {threshold} 人で預託が開きます。秘密に保管してください。",
    ),
    "disclosure.combined": (
        "The deposit opens, and holds what the statement conceals ({count} field(s)):",
        "預託が開き、内容は言明の秘匿項目と一致します（{count} 項目）：",
    ),
    "disclosure.key.made": (
        "Deposit key in {file}; its public part is in {public_file}, for the charter:\n  {public}",
        "預託用の鍵は {file}、公開部分は {public_file} にあります（憲章に載せる値）：\n  {public}",
    ),
    "disclosure.key.tag": (
        "Tag key in {file}. Whoever has it can test guesses of every identifier.",
        "識別子用の鍵は {file} にあります。持つ者は識別子を推測で確かめられます。",
    ),
    "disclosure.erase.shown": (
        (
            "ERASE the concealed fields of {kind}, entry {index}\n  statement {digest}\n  basis     {basis} (public)\n"
            "  Salt and value are destroyed here; the figure is not measured from then on, never zero. Where it is\n"
            "  the amount of a lease, its licence grants no more leases. What lies in the log stays, sealed to the\n"
            "  holders of the deposit; so do copies that others were given. This cannot be undone.\n  phrase    {phrase}"
        ),
        (
            "{kind}（項目 {index}）の秘匿項目を消去します\n  言明 {digest}\n  根拠 {basis}（公開されます）\n"
            "  ここにあるソルトと値を破壊します。以後この数値は「未計測」で、零ではありません。リースの量であれば、\n"
            "  その許可では新しいリースを出せません。ログには預託保有者あてに封じた写しが残り、他者に渡した写しも\n"
            "  残ります。取り消せません。\n  合言葉 {phrase}"
        ),
    ),
    "disclosure.erase.phrase": (
        "Type the eight words of the phrase to erase (nothing to refuse)",
        "消去するには合言葉の 8 語を入力してください（空欄で中止）",
    ),
    "disclosure.erase.refused": (
        "the erasure was not confirmed; nothing was erased",
        "消去は確認されませんでした。何も消去していません",
    ),
    "disclosure.erase.remedy": (
        "type the phrase as it is shown; a script gives --yes-erase with the statement's full digest",
        "表示された合言葉を入力してください。スクリプトでは --yes-erase に言明の要約値を渡します",
    ),
    "disclosure.erased": (
        "Erased and stated in entry {index}: {digest} is not measured from now on.",
        "消去し、項目 {index} に記録しました：{digest} は以後「未計測」です。",
    ),
    "cli.no-log": (
        "unverifiable: no log was read under a trust root of yours; name a log (--log) and its root (sekisho trust add, --policy or --home)",
        "検証不能：信頼の起点に基づくログを読めません。ログ（--log）と信頼の起点（sekisho trust add、--policy、--home）を指定してください",
    ),
    # --- keys, orders, licences and charters as commands
    "key.passphrase": ("Passphrase of {file}", "{file} のパスフレーズ"),
    "key.pin": (
        "PIN of the token for {place} (tried once)",
        "{place} のトークンの PIN（試行は一度のみ）",
    ),
    "key.made.hsm": (
        "Made a key on its token: {place} (it never leaves it), public {public}",
        "トークン内に鍵を作成しました：{place}（外には出ません）、公開鍵 {public}",
    ),
    "key.passphrase.new": ("New passphrase", "新しいパスフレーズ"),
    "key.made": (
        "Made a key: private {file} (yours alone), public {public}",
        "鍵を作成しました：秘密鍵 {file}（本人専用）、公開鍵 {public}",
    ),
    "key.public": (
        "  key     {id}\n  phrase  {phrase}\n  public  {public}",
        "  鍵      {id}\n  合言葉  {phrase}\n  公開鍵  {public}",
    ),
    "order.drafted": (
        "Draft written to {file}; nobody has signed it.",
        "起案を {file} に保存しました。まだ署名はありません。",
    ),
    "order.issued": (
        "Issued: entry {index} of the log, leaf {leaf}.",
        "発出しました：ログの {index} 番、葉 {leaf}。",
    ),
    "order.issued.before": (
        "It was issued before: entry {index} of the log, leaf {leaf}.",
        "すでに発出済みです：ログの {index} 番、葉 {leaf}。",
    ),
    "order.none": ("No order was ever issued.", "命令はまだ一つも発出されていません。"),
    "order.none-in-force": ("No order is in force.", "効力のある命令はありません。"),
    "order.no-hosts": ("no enrolled host is covered", "対象となる登録済みのホストはありません"),
    "order.line.in_force": (
        "{register} {number}: {effect}, for {scope}; IN FORCE until {until} ({digest})",
        "{register} 第 {number} 号：{effect}、対象は{scope}、施行中、期限 {until}（{digest}）",
    ),
    "order.line.over": (
        "{register} {number}: {effect}, for {scope}; restrains nothing now, expiry {until} ({digest})",
        "{register} 第 {number} 号：{effect}、対象は{scope}、現在は制限なし、期限 {until}（{digest}）",
    ),
    "order.host": ("  {host}: {degree}; {stages}", "  {host}：{degree}、{stages}"),
    "order.silent": ("nothing was heard", "応答なし"),
    "order.degree.non-responsive": ("NON-RESPONSIVE", "応答なし"),
    "order.degree.claimed": (
        "halted: claimed (the agent's word)",
        "停止：主張のみ（エージェントの申告）",
    ),
    "order.degree.contradicted": ("CONTRADICTED: an observer saw work", "矛盾：観察者が稼働を確認"),
    "order.degree.corroborated": ("halted: corroborated", "停止：裏付けあり"),
    "order.degree.verified": ("halted: verified", "停止：検証済み"),
    "order.degree.None": ("resumed", "再開済み"),
    "order.lapses": (
        "      this verdict lapses in {length}, at {at}",
        "      この判定は {length}後（{at}）に失効します",
    ),
    "order.lapsed": (
        "      the last verdict lapsed {length} ago, at {at}",
        "      最後の判定は {length}前（{at}）に失効しました",
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
    # --- keys and succession in words
    "show.label.since": ("lost since", "失われた時点"),
    "show.label.reason": ("reason", "理由"),
    "show.label.challenge": ("challenge", "課題"),
    "show.label.note": ("note", "備考"),
    "show.label.payload": ("of payload", "対象の本文"),
    "show.label.replaces": ("replaces", "差し替える鍵"),
    "show.label.veto": ("may say no", "拒否できる者"),
    "show.label.announcement": ("against", "対象の予告"),
    "show.label.notice": ("notice", "予告"),
    "show.label.lapses": ("WOULD LAPSE", "失効する命令"),
    "show.label.runs_out": ("would run out", "満了で終わる"),
    "show.label.doubtful": ("in doubt", "疑わしい文書"),
    "show.label.order": ("order", "命令"),
    "show.label.statement": ("about", "対象の文書"),
    "show.label.opened_by": ("opened by", "開示できる者"),
    "show.label.pack": ("pack", "規則集"),
    "show.label.summary": ("summary", "概要"),
    "show.label.recovers": ("recovers", "鍵の復旧"),
    "show.label.deposit": ("deposit key", "預託の鍵"),
    "show.label.key_drill_every_s": ("key drills every", "鍵の確認の間隔"),
    "show.label.emergency_s": ("emergency rules", "緊急規則の期間"),
    "show.label.compromise_grace_s": ("after compromise", "鍵喪失後の猶予"),
    "show.kind.key-compromised": ("Report: a KEY IS COMPROMISED", "報告：鍵の危殆化"),
    "show.kind.key-drilled": ("Key drill: a key still signs", "鍵の確認：鍵が使えることの証明"),
    "show.kind.signature-withdrawn": ("Withdrawal of a signature", "署名の撤回"),
    "show.kind.recovery-announced": (
        "Notice of RECOVERY: keys are to be replaced",
        "復旧の予告：鍵の差し替え",
    ),
    "show.kind.recovery-vetoed": ("VETO against a recovery", "復旧への拒否"),
    "show.kind.order-confirmed": ("Confirmation of an order", "命令の確認"),
    "show.kind.disclosure-deposited": ("Deposit of concealed fields", "秘匿項目の預託"),
    "show.kind.disclosure-erased": ("ERASURE of concealed fields", "秘匿項目の消去"),
    "show.kind.pack-published": ("Rule pack", "規則集"),
    "show.kind.pack-emergency": ("EMERGENCY rule pack", "緊急の規則集"),
    "show.holder.unknown": ("not a key of the charter that was read", "読んだ憲章にない鍵です"),
    "show.holder.recovery": ("recovery", "復旧"),
    "show.compromise.effect": (
        "from its entry on the key counts for nothing and never comes back; orders recorded since the key was lost that lack their quorum without it go on for {grace}, then lapse unless their full quorum confirms them; leases run out; the rest is listed as doubtful; no work is ended by it",
        "記載の時点から、この鍵は無効となり元に戻りません。喪失後に記録され、この鍵なしでは定足数に満たない命令は、{grace}続いたのち、定足数全体が確認しないかぎり失効します。リースは満了まで。その他は疑わしいと示されます。これにより処理が終了させられることはありません",
    ),
    "show.doubt.lapses": (
        "{what} ({power}): lapses {at} unless confirmed: sekisho order confirm",
        "{what}（{power}）：確認されなければ {at} に失効（sekisho order confirm）",
    ),
    "show.doubt.runs-out": (
        "{what} ({kind}): runs out {at}, not renewed by it",
        "{what}（{kind}）：{at} で終わります",
    ),
    "show.doubt.doubtful": ("{what} ({kind}, {power})", "{what}（{kind}、{power}）"),
    "show.doubt.none": (
        "no statement of this log would lack its quorum without the key; from now on it counts for nothing",
        "この鍵なしで定足数を欠く文書は、このログにはありません。以後この鍵は無効です",
    ),
    "show.drilled.challenge": (
        "root of the tree of {size} entries: {root}",
        "{size} 件の木の根：{root}",
    ),
    "show.drilled.effect": (
        "proves that the holder could sign when that tree was witnessed; it permits nothing",
        "その木が立ち会われた時点で署名できたことの証明です。何も許可しません",
    ),
    "show.drilled.before": ("the key was last proved {at}", "この鍵の前回の確認：{at}"),
    "show.drilled.first": ("the key was never proved before", "この鍵の確認は初めてです"),
    "show.withdrawn.effect": (
        "this key's signature on that payload counts in no later entry; what is in the log already stands",
        "その本文へのこの鍵の署名は、以後の記載では無効です。すでにログにあるものは変わりません",
    ),
    "show.withdrawn.change": (
        "the payload is no order of this log so far; without this signature it may lack its quorum",
        "その本文はまだこのログの命令ではありません。この署名がなければ定足数を欠くことがあります",
    ),
    "show.recovery.follows": (
        "to be version {version}, after {previous}",
        "第 {version} 版となる予定（{previous} の次）",
    ),
    "show.recovery.replaces": (
        "in {constituency}: key {old} of {held} gives way to {new}",
        "{constituency}：{held} の鍵 {old} を {new} に差し替え",
    ),
    "show.recovery.effect": (
        "nothing yet: after {days} days in witnessed checkpoints, without a veto, the recovery keys may adopt these keys and change nothing else",
        "直ちには何も変わりません。立会い済みチェックポイントで {days} 日が経過し、拒否がなければ、復旧鍵はこれらの鍵だけを差し替えられます",
    ),
    "show.recovery.voice": ("{name} ({k} keys)", "{name}（鍵 {k} 本）"),
    "show.recovery.left": ("the notice ends {at} at the earliest", "予告が終わるのは早くても {at}"),
    "show.recovery.carries": (
        "carries out the announced recovery {leaf}: signed by recovery keys, only keys are replaced",
        "予告された復旧 {leaf} の実行：復旧鍵が署名し、鍵だけを差し替えます",
    ),
    "show.veto.effect": (
        "the announced recovery is stopped for good; another one must be announced anew",
        "予告された復旧は取りやめとなります。別の復旧は改めて予告が必要です",
    ),
    "show.confirm.effect": (
        "the order no longer hangs on the reported key: it goes on as issued, neither longer nor wider",
        "命令は報告された鍵に左右されなくなります。期間も範囲も発出時のままです",
    ),
    "show.confirm.doubt": (
        "it would lapse {at}: without key {id}",
        "{at} に失効するところでした（鍵 {id} を除く場合）",
    ),
    "show.confirm.sound": (
        "nothing: the order is not in doubt",
        "なし：この命令は疑わしくありません",
    ),
    "show.confirm.unknown": ("the order is not in this log", "この命令はこのログにありません"),
    "show.deposit.effect": (
        "the disclosures of that statement are kept encrypted; {k} of {n} holders together can open them",
        "その文書の開示情報を暗号化して預けます。{n} 者のうち {k} 者がそろえば開けます",
    ),
    "show.deposit.size": ("{size} characters of sealed content", "封緘された内容 {size} 文字"),
    "show.erasure.effect": (
        "salt and deposit of that statement are destroyed: its concealed fields can never be shown again",
        "その文書のソルトと預託を破棄します。秘匿項目は二度と開示できません",
    ),
    "show.pack.effect": (
        "decisions from its entry on may rest on these rules",
        "記載の時点から、この規則に基づいて判定できます",
    ),
    "show.pack.emergency": (
        "decisions may rest on these rules for {length} at most; then they lapse; a lapsed one, or one as strict, needs the full quorum",
        "この規則に基づく判定は最長 {length}です。その後は失効し、失効したものや同じ厳しさのものには定足数全体が必要です",
    ),
    "show.pack.content": (
        "{name} {version}, {bytes} bytes, SHA-256 {sha256}",
        "{name} {version}、{bytes} バイト、SHA-256 {sha256}",
    ),
    "show.pack.before": (
        "takes the place of {name} {version} ({sha256})",
        "{name} {version}（{sha256}）に代わります",
    ),
    "show.pack.same": (
        "nothing: these rules are published already",
        "なし：この規則は公布済みです",
    ),
    "show.pack.first": ("the first pack of this name", "この名の規則集は初めてです"),
    "show.warn.since-ahead": (
        "It says that the key will be lost at {at}, which is still ahead.",
        "鍵が失われる時点 {at} はまだ先です。",
    ),
    "show.warn.key-unknown": (
        "Key {id} is not in the charter in force.",
        "鍵 {id} は施行中の憲章にありません。",
    ),
    "show.warn.challenge-foreign": (
        "The challenge is NOT the root of this log at size {size}.",
        "課題は、このログの {size} 件目の根ではありません。",
    ),
    "show.warn.withdrawn-late": (
        "Too late: that payload is entry {index} of the log already.",
        "手遅れです：その本文はすでにログの {index} 番に記載されています。",
    ),
    "show.warn.powers-lost": (
        "Without this key nobody can use these powers until the charter is amended or recovered: {names}",
        "この鍵がなければ、憲章の改正か復旧まで、次の権限は誰も使えません：{names}",
    ),
    "show.warn.key-silenced": (
        "Key {id} ({name}) was reported compromised: it counts for nothing.",
        "鍵 {id}（{name}）は危殆化が報告されており、無効です。",
    ),
    "show.warn.signature-withdrawn": (
        "Key {id} ({name}) took its signature on this back: it does not count.",
        "鍵 {id}（{name}）はこの文書への署名を撤回しました。数えません。",
    ),
    # --- keys and charters as commands
    "key.drill.row": (
        "{state}  {id}  {constituency}: {organisation}, {holder}; last proved {last}",
        "{state}  {id}  {constituency}：{organisation}、{holder}、前回の確認 {last}",
    ),
    "key.drill.proved": ("proved   ", "確認済み"),
    "key.drill.doubtful": ("DOUBTFUL ", "疑わしい"),
    "key.drill.lost": ("LOST     ", "喪失　　"),
    "key.drill.new": ("not due  ", "期限前　"),
    "key.drill.never": ("never", "なし"),
    "key.drill.sum": (
        "{doubtful} of {count} keys are doubtful: not proved within {length}.",
        "{count} 本のうち {doubtful} 本が疑わしい鍵です（{length}以内の確認なし）。",
    ),
    "sign.fresh": (
        "Signed with key {id} and written to {file}.",
        "鍵 {id} で署名し、{file} に保存しました。",
    ),
    "charter.recover.undated": (
        "no witnessed checkpoint that a later entry quotes dates the announcement yet, so its notice has not begun; wait for the log's next entries",
        "告知の日時を示す立会い済みチェックポイントを引用する記載がまだなく、予告期間は始まっていません。ログの次の記載を待ってください",
    ),
    "charter.recover.wait": (
        "the notice is not over in witnessed checkpoints: it ends {at} at the earliest",
        "立会い済みチェックポイントで予告期間がまだ終わっていません。終わるのは早くても {at} です",
    ),
    # --- the charter's drill
    "charter.drill.step.found": (
        "Found a regime by quorum: draft, compare the phrase, sign, adopt",
        "定足数で体制を創設する：起案、合言葉の照合、署名、採択",
    ),
    "charter.drill.step.prove": (
        "Prove keys; whose key nobody proves becomes doubtful",
        "鍵を確認する：確認されない鍵は疑わしくなる",
    ),
    "charter.drill.step.amend": (
        "Amend: the old quorum and the new one",
        "改正する：旧版と新版、両方の定足数",
    ),
    "charter.drill.step.lose": (
        "Lose a key: what rests on it is in doubt, and a full quorum confirms it",
        "鍵を失う：その鍵に基づくものは疑わしくなり、定足数全体が確認する",
    ),
    "charter.drill.step.succeed": ("Put a new key in its place", "新しい鍵に差し替える"),
    "charter.drill.step.veto": (
        "A recovery that nobody needs: another constituency says no",
        "不要な復旧：別の構成団体が拒否する",
    ),
    "charter.drill.step.recover": (
        "Lose three of five: recovery keys, 14 simulated days, new keys",
        "五本のうち三本を失う：復旧鍵、模擬の 14 日、新しい鍵",
    ),
    "charter.drill.step.check": (
        "A stranger reads it all from the files, under the trust root alone",
        "第三者が、信頼の起点だけを頼りに、ファイルから全体を読む",
    ),
    "charter.drill.phrase": ("{kind}: {phrase}", "{kind}：{phrase}"),
    "charter.drill.signed": ("signed by {names}", "署名：{names}"),
    "charter.drill.entered": (
        "entry {index} of the log, witnessed",
        "ログの {index} 番に記載、立会い済み",
    ),
    "charter.drill.root": ("trust root, by hand: {charter}", "信頼の起点（手作業）：{charter}"),
    "charter.drill.refused": (
        "refused as it must be: {what} ({code})",
        "想定どおり拒否：{what}（{code}）",
    ),
    "charter.drill.early": ("adopting with two signatures", "二つの署名での採択"),
    "charter.drill.old-quorum": ("an amendment without the old quorum", "旧版の定足数を欠く改正"),
    "charter.drill.lost-key": ("a signature by the lost key", "失われた鍵での署名"),
    "charter.drill.vetoed": ("carrying out a vetoed recovery", "拒否された復旧の実行"),
    "charter.drill.too-early": ("recovering after 13 days", "13 日での復旧"),
    "charter.drill.old-member": ("a signature by a replaced key", "差し替えられた鍵での署名"),
    "charter.drill.doubtful": (
        "{count} of {all} keys are doubtful",
        "{all} 本のうち {count} 本が疑わしい",
    ),
    "charter.drill.doubt": (
        "in doubt without it: {name} ({kind}), lapses {ends}",
        "この鍵なしでは疑わしい：{name}（{kind}）、失効 {ends}",
    ),
    "charter.drill.powers": (
        "without {names} nobody can use: {powers}",
        "{names} なしでは誰も使えない権限：{powers}",
    ),
    "charter.drill.change": ("{what}: {before} → {after}", "{what}：{before} → {after}"),
    "charter.drill.drafted": (
        "version {version} drafted ({digest})",
        "第 {version} 版を起案（{digest}）",
    ),
    "charter.drill.read": (
        "{size} entries verified; version {version} is in force",
        "{size} 件を検証：第 {version} 版が施行中",
    ),
    "charter.drill.gone": ("removed", "削除済み"),
    "charter.drill.holds": (
        "The charter's drill holds: every step did what was announced. It was a DRILL: the log {origin}, its keys and its regime are of no force.\nHome: {home}",
        "憲章の予行は成立：すべての段階が予告どおりに進みました。これは予行です：ログ {origin}、その鍵と体制に効力はありません。\nホーム：{home}",
    ),
    "charter.drill.fails": (
        "The charter's drill FAILS: the last step above says why. It was a DRILL: the log {origin} is of no force.\nHome: {home}",
        "憲章の予行は不成立：理由は上の最後の段階にあります。これは予行です：ログ {origin} に効力はありません。\nホーム：{home}",
    ),
    "charter.init.guide": (
        "A founding needs: a public key file of every holder (sekisho key new, then the .pub), the log's verifier key and each witness's (sekisho key show F.pub --vkey NAME, with --cosigner for a witness), and a new file for the draft. Recovery keys lie offline; without them nobody can replace lost keys. Examples, with as few keys as each profile's quorums allow; more are better, since a lost key then stops nothing:",
        "創設に必要なもの：各保持者の公開鍵ファイル（sekisho key new で作る .pub）、ログと各立会人の検証鍵（sekisho key show F.pub --vkey 名前、立会人は --cosigner も）、起案の新しいファイル。復旧鍵はオフラインに置きます。なければ失った鍵を誰も差し替えられません。以下は各類型の定足数が許す最少の例です。鍵が多いほど、一本を失っても止まりません：",
    ),
    "charter.init.internal": (
        "internal: one company's own pause; who watches stops alone, and resumes with management ({groups})",
        "internal：一社内の停止。監視役だけで止め、再開は経営と共に行う（{groups}）",
    ),
    "charter.init.provider": (
        "provider: a compute provider; auditors whom its customers trust release and amend with it ({groups})",
        "provider：計算資源の提供者。顧客が信頼する監査人と共に再開・改正する（{groups}）",
    ),
    "charter.init.authority": (
        "authority: a national authority with independent verifiers ({groups})",
        "authority：国の当局と独立の検証者（{groups}）",
    ),
    "charter.init.international": (
        "international: several states, a secretariat, verifiers ({groups})",
        "international：複数の国、事務局、検証者（{groups}）",
    ),
    "charter.quorate": (
        "The quorum of version {version} has signed.",
        "第 {version} 版の定足数の署名がそろいました。",
    ),
    "charter.root": (
        "Its trust root, to be installed by hand after comparing {charter} by word of mouth:",
        "信頼の起点。{charter} を口頭で照合したうえで、手作業で導入してください：",
    ),
    # --- the console: frame
    "web.name": ("Sekisho control room", "関所 管制室"),
    "web.skip": ("Skip to the content", "本文へ移動"),
    "web.nav": ("Pages", "ページ"),
    "web.nav.overview": ("Overview", "概況"),
    "web.nav.orders": ("Orders", "命令"),
    "web.nav.log": ("Log", "ログ"),
    "web.nav.proof": ("Proof", "証明"),
    "web.language": ("Language", "言語"),
    "web.stale": (
        "This page is no longer being renewed: what it shows may have changed. Check the connection, then reload.",
        "画面の更新が止まっています。表示は最新でない可能性があります。接続を確認し、再読み込みしてください。",
    ),
    "web.noscript": (
        "Without scripts this page does not renew itself: reload it to see the present state.",
        "スクリプトが無効なため自動更新されません。最新の状態は再読み込みで確認してください。",
    ),
    "web.foot": ("Log {origin}.", "ログ {origin}。"),
    "web.foot.charter": (
        "Charter version {version}, profile {profile}:",
        "憲章 第 {version} 版、類型 {profile}：",
    ),
    "web.foot.limits": (
        "Every state shown is derived from the log and can be derived again by anybody.",
        "表示はすべてログから導かれ、誰でも導き直せます。",
    ),
    "web.as-of": ("As of", "時点"),
    "web.since": ("since", "以降"),
    "web.none": ("none", "なし"),
    "web.time": ("Time", "時刻"),
    "web.state": ("State", "状態"),
    "web.number": ("No.", "番号"),
    "web.index": ("Index", "番号"),
    "web.kind": ("Kind", "種別"),
    "web.says": ("What it says", "内容"),
    "web.leaf": ("Leaf", "リーフ"),
    "web.payload": ("Payload digest", "本文のダイジェスト"),
    "web.digest": ("Digest", "ダイジェスト"),
    "web.effective": ("Speaks of", "効力時刻"),
    "web.evidence": ("evidence", "証拠"),
    "web.span.d": ("{n} d", "{n} 日"),
    "web.span.h": ("{n} h", "{n} 時間"),
    "web.span.min": ("{n} min", "{n} 分"),
    "web.span.s": ("{n} s", "{n} 秒"),
    "web.error.home": ("Back to the overview", "概況へ戻る"),
    "web.error.404": ("Not found", "見つかりません"),
    "web.error.405": ("This page only shows", "このページは表示専用です"),
    "web.error.422": ("The address is not understood", "指定を解釈できません"),
    "web.error.500": ("An error in Sekisho itself", "関所自体の不具合です"),
    "web.error.503": ("Not available just now", "ただいま利用できません"),
    # --- the console: words of state
    "web.word.running": ("Running", "稼働中"),
    "web.word.idle": ("No licensed work", "許可された計算なし"),
    "web.word.silent": ("Unknown: silent", "不明：報告途絶"),
    "web.word.issued": ("Order issued", "発出済み"),
    "web.word.received": ("Order received", "受領済み"),
    "web.word.checkpointed": ("Checkpointed, stopping", "保存済み・停止中"),
    "web.word.claimed": ("Halted: claimed", "停止：申告のみ"),
    "web.word.contradicted": ("Contradicted", "矛盾あり"),
    "web.word.corroborated": ("Halted: corroborated", "停止：裏付けあり"),
    "web.word.verified": ("Halted: verified", "停止：検証済み"),
    "web.word.lapsed": ("Verdict lapsed", "判定失効"),
    "web.word.non-responsive": ("Non-responsive", "応答なし"),
    "web.word.resuming": ("Lifted, not resumed", "解除済み・未再開"),
    "web.word.resumed": ("Resumed", "再開済み"),
    "web.word.pending": ("Not yet in force", "発効前"),
    "web.word.in-force": ("In force", "有効"),
    "web.word.expired-refusing": ("Expired, new work refused", "期限切れ・新規拒否"),
    "web.word.lifted": ("Lifted", "解除済み"),
    "web.word.took-effect": ("Took effect", "効力発生"),
    "web.word.unverifiable": ("Unverifiable", "検証不能"),
    "web.word.running.why": (
        "Its last receipt, in time, says that licensed work runs under a live lease.",
        "直近の報告が期限内に届き、有効なリースの下で計算が動いていると述べています。",
    ),
    "web.word.idle.why": (
        "No licensed work is known to run here. What runs without a lease is not seen by receipts.",
        "許可された計算は確認されていません。リースなしの計算は報告からは見えません。",
    ),
    "web.word.silent.why": (
        "It holds a live lease, but its receipts stopped. What runs is not known; silence is not compliance.",
        "有効なリースがあるのに報告が途絶えました。何が動いているかは不明です。沈黙は遵守ではありません。",
    ),
    "web.word.issued.why": (
        "An order covers it; it has not said that it received the order.",
        "命令の対象ですが、受領の報告はまだありません。",
    ),
    "web.word.received.why": (
        "It said that it received the order; it has not said that it halted.",
        "命令を受領したと報告しましたが、停止の報告はまだありません。",
    ),
    "web.word.checkpointed.why": (
        "It wrote its checkpoint and is stopping.",
        "チェックポイントを保存し、停止処理の途中です。",
    ),
    "web.word.claimed.why": (
        "Its agent says that it halted. Nobody else has looked.",
        "エージェントが停止を申告しました。第三者はまだ確認していません。",
    ),
    "web.word.contradicted.why": (
        "Its agent says that it halted; an observer saw work.",
        "エージェントは停止を申告しましたが、観測者は計算を確認しました。",
    ),
    "web.word.corroborated.why": (
        "An observer under another constituency's key looked twice and saw no work, on premises the operator controls.",
        "別の構成団体の鍵を持つ観測者が二度確認し、計算はありませんでした。ただし事業者の管理下での確認です。",
    ),
    "web.word.verified.why": (
        "Evidence under a key that the operator does not hold, bound to the devices and a fresh challenge.",
        "事業者が持たない鍵による、装置と新しい課題に結び付いた証拠があります。",
    ),
    "web.word.lapsed.why": (
        "It was found halted; that verdict may no longer be said. Its present state is not known.",
        "停止と判定されましたが、判定の有効期間が過ぎました。現在の状態は不明です。",
    ),
    "web.word.non-responsive.why": (
        "The time to answer is over and no receipt says that it halted.",
        "回答期限を過ぎても、停止の報告がありません。",
    ),
    "web.word.resuming.why": (
        "The order it halted under is lifted or over; it has not said that it resumed.",
        "停止の根拠となった命令は解除または終了しましたが、再開の報告はまだありません。",
    ),
    "web.word.resumed.why": ("It said that it resumed.", "再開を報告しました。"),
    "web.emulated": ("emulated", "模擬"),
    "web.emulated.why": (
        "The device is emulated: this proves the protocol, not silicon.",
        "装置は模擬です。手順の証明であり、実物の半導体の証明ではありません。",
    ),
    "web.drill": ("drill", "演習"),
    "web.drill.why": (
        "A drill acts on declared canary workloads only.",
        "演習は、届け出られた試験用の計算にだけ作用します。",
    ),
    "web.until.lapses": ("may be said for {left} more", "あと {left} 有効"),
    "web.until.due": ("answer due in {left}", "回答期限まで {left}"),
    "web.until.dead-man": (
        "its lease ends without contact in {left}",
        "連絡がなくてもリースは {left} 後に終了",
    ),
    "web.until.lease": ("lease and grace end in {left}", "リースと猶予の終了まで {left}"),
    # --- the console: overview
    "web.banner": ("Pause state", "停止状態"),
    "web.banner.no-charter": ("No charter is adopted yet", "憲章がまだ採択されていません"),
    "web.banner.no-charter.why": (
        "Until version 1 is in the log nobody may license, order or enrol.",
        "第 1 版がログに入るまで、許可も命令も登録もできません。",
    ),
    "web.banner.paused": (
        "Paused: {n} restricting order(s) in force",
        "停止中：有効な制限命令 {n} 件",
    ),
    "web.banner.clear": ("No pause in force", "有効な一時停止命令はありません"),
    "web.banner.clear.why": (
        "{hosts} host(s) at {sites} site(s).",
        "拠点 {sites}、ホスト {hosts}。",
    ),
    "web.banner.unknown": (
        "{n} host(s) in an unknown state. Unknown is not compliant.",
        "状態不明のホストが {n} 台あります。不明は遵守ではありません。",
    ),
    "web.covers-nobody": ("It covers no enrolled host.", "登録済みのホストは対象に含まれません。"),
    "web.expires-in": ("{left} left", "残り {left}"),
    "web.sites": ("Sites and hosts", "拠点とホスト"),
    "web.sites.count": ("{sites} site(s), {hosts} host(s)", "拠点 {sites}、ホスト {hosts}"),
    "web.sites.empty": (
        "No host is enrolled. Chips that nobody enrolled are invisible here.",
        "登録済みのホストはありません。未登録のチップはここには現れません。",
    ),
    "web.orders.all": ("All orders and registers", "すべての命令と登録簿"),
    "web.orders.newest": ("Newest first", "新しい順"),
    "web.orders.empty": ("No order was ever issued.", "命令はまだ発出されていません。"),
    "web.licences": ("Licences", "許可"),
    "web.licences.counting": (
        "counted as reserved at the peak of the enrolled devices",
        "登録装置の最大性能で予約した量を計上",
    ),
    "web.licences.empty": ("No licence is issued.", "発行済みの許可はありません。"),
    "web.bar.label": (
        "Licence {number}: {percent} percent of the budget is no longer available",
        "許可 {number}：予算の {percent} パーセントが使用済みまたは割当済み",
    ),
    "web.spent": ("{percent} % leased or spent", "割当・消費 {percent} %"),
    "web.revoked": ("Revoked", "取消済み"),
    "web.undisclosed": (
        "{n} amount(s) were not disclosed to this console: these figures are not the whole.",
        "{n} 件の数量が開示されていません。この表示は全体ではありません。",
    ),
    "web.account.budget": ("budget", "予算"),
    "web.account.available": ("available", "残り"),
    "web.account.leased": ("leased", "割当中"),
    "web.account.consumed": ("consumed", "消費"),
    "web.account.forfeited": ("forfeited", "失効"),
    "web.log.title": ("Public log", "公開ログ"),
    "web.log.recent": ("Recent entries", "最近の記録"),
    "web.log.origin": ("Origin", "発行元"),
    "web.log.size": ("Size", "件数"),
    "web.log.entries": ("{n} entries", "{n} 件"),
    "web.log.witnessed": ("Witnessed", "立会い済み"),
    "web.log.behind": ("{n} entries wait for witnesses", "立会い待ち {n} 件"),
    "web.log.unwitnessed": ("no witnessed checkpoint yet", "立会い済みのチェックポイントなし"),
    "web.log.newest": ("Newest entries first", "新しい記録から"),
    "web.log.older": ("Older entries", "以前の記録"),
    "web.log.empty": ("No entries here.", "記録はありません。"),
    "web.log.entry": ("Log entry", "ログの記録"),
    "web.log.with-heartbeats": ("Show heartbeats too", "定期記録も表示"),
    "web.log.without-heartbeats": ("Hide heartbeats", "定期記録を隠す"),
    "web.log.files": ("The same as files, for any auditor:", "監査人のためのファイル："),
    "web.witness": ("Witness", "立会人"),
    "web.owner": ("Owner", "保有者"),
    "web.cosigned-at": ("Cosigned", "連署"),
    "web.no-cosignature": ("no cosignature", "連署なし"),
    "web.single-owner": (
        'One owner, {owner}, holds the log and every witness. To an outsider "witnessed" is unverifiable here: the owner could have shown others another log.',
        "{owner} がログと全立会人を単独で保有しています。外部の者にとって「立会い済み」は検証不能です。別のログを他者に見せることも可能だからです。",
    ),
    "web.problem.tables": (
        "The tables could not be written, and tell less than the log:",
        "表を書き込めず、ログより古い内容です：",
    ),
    "web.problem.clock": ("The clock goes wrong:", "時計が合っていません："),
    "web.problem.copy": (
        "The published copy falls behind:",
        "公開コピーが遅れています：",
    ),
    "web.problem.charter": (
        "The charter must be amended before it expires; then nothing is licensed any more, while hold, pause and resume go on. It",
        "憲章は失効前に改正が必要です。失効後は新しい許可を出せません（保留・停止・再開は続きます）：",
    ),
    "web.registers-problem": ("The registers could not be kept:", "登録簿を維持できませんでした："),
    "web.findings": ("Findings", "指摘事項"),
    "web.findings.empty": (
        "None raised. What was never submitted leaves no trace here.",
        "指摘はありません。提出されなかった事実はここには残りません。",
    ),
    "web.limits": ("What this cannot promise", "約束できないこと"),
    "web.limit.1": (
        "Root on a host can bypass software limits; what is emulated is marked and proves the protocol, not silicon.",
        "ホストの管理者権限はソフトウェアの制限を回避できます。模擬の部分には印があり、手順だけを証明します。",
    ),
    "web.limit.2": (
        "A signature proves that a record is unchanged, not that it is honest.",
        "署名は記録が変わっていないことを示すだけで、内容の誠実さは示しません。",
    ),
    "web.limit.3": (
        '"Claimed" is the agent\'s word. "Corroborated" rests on premises that the operator controls. Every verdict lapses.',
        "「申告のみ」はエージェントの言葉です。「裏付けあり」は事業者の管理下での確認です。判定はすべて失効します。",
    ),
    "web.limit.4": (
        "Chips that nobody enrolled are invisible; what runs without a lease shows in no receipt.",
        "未登録のチップは見えません。リースなしの計算は報告に現れません。",
    ),
    "web.limit.5": (
        "A host that says nothing is unknown, never compliant; its lease ends by itself, its power supply does not.",
        "沈黙するホストは不明であり、遵守とは扱いません。リースは自然に終わりますが、電源は切れません。",
    ),
    "web.limit.6": (
        "What was never submitted leaves no trace and is not claimed.",
        "提出されなかったものは痕跡を残さず、その存否も主張しません。",
    ),
    "web.limit.7": (
        "This console is the control plane's own word. Take the proof and the bundle, and check them elsewhere.",
        "この画面は管制側自身の表示です。証明と証拠一式を持ち出し、別の場所で検証してください。",
    ),
    # --- the console: orders
    "web.order": ("Order", "命令"),
    "web.order.says": ("What the order says", "命令の内容"),
    "web.kind-of-order.hold": ("Hold", "保留命令"),
    "web.kind-of-order.pause": ("Pause order", "一時停止命令"),
    "web.kind-of-order.cap": ("Cap", "上限命令"),
    "web.kind-of-order.suspend-access": ("Access suspension", "利用停止命令"),
    "web.kind-of-order.resume": ("Resume", "再開命令"),
    "web.effect": ("Effect", "効果"),
    "web.effect.checkpoint-then-stop": ("checkpoint, then stop", "保存のうえ停止"),
    "web.effect.freeze": ("freeze", "凍結"),
    "web.effect.cap": ("cap", "上限"),
    "web.effect.suspend-access": ("suspend access", "利用停止"),
    "web.effect.lift": ("lift", "解除"),
    "web.hosts": ("Hosts", "ホスト"),
    "web.issued-at": ("Issued", "発出"),
    "web.lifted-by": ("Lifted by", "解除命令"),
    "web.lifts": ("Lifts", "解除する命令"),
    "web.scope": ("Scope", "対象"),
    "web.scope.everywhere": ("everything under this charter", "この憲章の下のすべて"),
    "web.scope.sites": ("sites", "拠点"),
    "web.scope.jurisdictions": ("jurisdictions", "法域"),
    "web.scope.licensees": ("licensees", "許可の名義人"),
    "web.scope.licences": ("licences", "許可"),
    "web.scope.runs": ("runs", "計算"),
    "web.scope.lineages": ("lineages", "系譜"),
    "web.scope.chips": ("chips", "チップ"),
    "web.scope.hosts": ("hosts", "ホスト"),
    "web.exemptions": ("Exempt", "除外"),
    "web.grace": ("Grace", "猶予"),
    "web.not-before": ("Not before", "発効"),
    "web.expires": ("Expires", "期限"),
    "web.on-expiry.lapse": ("At expiry it lapses.", "期限が来ると失効します。"),
    "web.on-expiry.refuse-until-resume": (
        "After expiry new work stays refused until a resume.",
        "期限後も、再開命令まで新規の計算は拒否されます。",
    ),
    "web.legal-basis": ("Legal basis", "法的根拠"),
    "web.appeal": ("Appeal", "不服申立て"),
    "web.phrase": ("Digest phrase", "合言葉"),
    "web.phrase.why": (
        "Signers compare these eight words over a second channel.",
        "署名者は、この八語を別の経路で照合します。",
    ),
    "web.quorum": ("Quorum", "定足数"),
    "web.quorum.count": (
        "{have} of {asked} needed ({all} keys)",
        "必要 {asked} に対し {have}（鍵は全 {all}）",
    ),
    "web.quorum.why": (
        "Every quorum must be met. A key under two names counts once; signatures carry no time of their own.",
        "すべての定足数を満たす必要があります。同じ鍵は一度だけ数えます。署名自体に時刻はありません。",
    ),
    "web.signed": ("signed", "署名済み"),
    "web.not-signed": ("did not sign", "署名なし"),
    "web.witnessed": ("in a witnessed checkpoint", "立会い済み"),
    "web.not-witnessed": ("not witnessed yet", "立会い未了"),
    "web.life": ("The order's life, host by host", "ホストごとの経過"),
    "web.life.why": (
        "from receipts, observations and verdicts in the log",
        "ログの報告・観測・判定による",
    ),
    "web.life.lifted": ("Hosts under the order that this lifts:", "この命令が解除する命令の対象："),
    "web.step.issued": ("Issued", "発出"),
    "web.step.received": ("Received", "受領"),
    "web.step.checkpointed": ("Checkpointed", "保存"),
    "web.step.claimed": ("Halted (claimed)", "停止（申告）"),
    "web.step.corroborated": ("Corroborated", "裏付け"),
    "web.step.verified": ("Verified", "検証"),
    "web.step.open": ("not yet", "未了"),
    "web.step.left-out": ("not reached before the resume", "再開までに至らず"),
    "web.means": ("By what means:", "手段："),
    "web.leaves": ("It leaves:", "残るもの："),
    "web.checkpoint": ("Checkpoint", "チェックポイント"),
    "web.limit.named": ("Limit:", "限界："),
    "web.registers": ("Registers", "登録簿"),
    "web.registers.why": (
        "numbered without gaps, each order naming the one before",
        "欠番なく、各命令が直前の命令を指します",
    ),
    "web.register": ("Register", "登録簿"),
    "web.head": ("Last number", "最終番号"),
    # --- the console: licences
    "web.licence": ("Licence", "許可"),
    "web.burn-down": ("Burn-down", "消費状況"),
    "web.budget": ("Budget", "予算"),
    "web.terms": ("Terms", "条件"),
    "web.licensee": ("Licensee", "名義人"),
    "web.run": ("Run", "計算"),
    "web.period": ("Period", "期間"),
    "web.lease-terms": ("Leases", "リース"),
    "web.lease-terms.say": (
        "{interval} each, quantum {quantum}, grace {grace}",
        "各 {interval}、区間 {quantum}、猶予 {grace}",
    ),
    "web.at-end": ("When a lease ends", "リース終了時"),
    "web.mode.advise": ("advise only", "通知のみ"),
    "web.mode.block-new": ("refuse new work", "新規の計算を拒否"),
    "web.mode.drain": ("let running work finish", "実行中の計算を終わらせる"),
    "web.mode.freeze": ("freeze", "凍結"),
    "web.mode.kill": ("end the work", "計算を終了"),
    "web.lineage": ("Lineage", "系譜"),
    "web.lineage.scratch": ("from scratch", "初期状態から"),
    "web.decision": ("The decision it rests on", "根拠となる判定"),
    "web.decision.was": ("Decision", "判定"),
    "web.decision.permit": ("permit", "許容"),
    "web.decision.report": ("report", "報告を要する"),
    "web.decision.licence": ("licence needed", "許可を要する"),
    "web.rules": ("Rules", "規則"),
    "web.rules.none": ("no rule applied", "該当する規則なし"),
    "web.pack": ("Rule pack", "規則集"),
    "web.declaration": ("Declaration", "届出"),
    "web.ledger": ("Double-entry ledger", "複式の台帳"),
    "web.ledger.why": (
        "budget = available + leased + consumed + forfeited, always",
        "予算＝残り＋割当中＋消費＋失効、常に",
    ),
    "web.ledger.agrees": (
        "Derived again from the log, line by line: it agrees with the books.",
        "ログから一行ずつ導き直した結果、帳簿と一致します。",
    ),
    "web.ledger.disagrees": (
        "Derived again from the log, line by line: it does not agree with the books. Audit this home.",
        "ログから導き直した結果が帳簿と一致しません。監査してください。",
    ),
    "web.posting": ("Posting", "記帳"),
    "web.posting.opened": ("Licence issued", "許可の発行"),
    "web.posting.granted": ("Lease {number}, {host}", "リース {number}、{host}"),
    "web.posting.consumed": ("Lease {number} closed, {host}", "リース {number} 終了、{host}"),
    "web.posting.returned": (
        "Rest of lease {number} returned, {host}",
        "リース {number} の残りを返却、{host}",
    ),
    "web.posting.forfeited": (
        "Rest of lease {number} forfeited, {host}",
        "リース {number} の残りが失効、{host}",
    ),
    "web.posting.overrun": ("Overrun of lease {number}, {host}", "リース {number} の超過、{host}"),
    "web.from-account": ("From", "貸方"),
    "web.to-account": ("To", "借方"),
    "web.amount": ("Amount", "数量"),
    "web.not-disclosed": ("not disclosed", "未開示"),
    "web.not-yet": ("not yet", "未了"),
    "web.leases": ("Leases", "リース"),
    "web.leases.empty": ("No lease was granted.", "リースは付与されていません。"),
    "web.allowance": ("Allowance", "割当量"),
    "web.not-after": ("Not after", "有効期限"),
    "web.ended": ("Ended", "終了"),
    "web.ended.final-receipt": ("by its final receipt", "最終報告による"),
    "web.ended.forfeited": ("ran out; the rest is forfeited", "期限切れ、残りは失効"),
    "web.ended.overdue": ("overdue: waits for its final receipt", "期限超過：最終報告待ち"),
    # --- the console: hosts
    "web.host": ("Host", "ホスト"),
    "web.host.now": ("Where it stands", "現在の状態"),
    "web.host.orders": ("Under orders", "命令の経過"),
    "web.host.orders.empty": (
        "No order ever covered this host.",
        "このホストを対象とした命令はありません。",
    ),
    "web.lease": ("Lease", "リース"),
    "web.lease.none": ("no live lease", "有効なリースなし"),
    "web.receipts": ("Receipts", "報告"),
    "web.receipts.say": ("{n} in one chain, the last: {stage}", "一連の報告 {n} 件、最新：{stage}"),
    "web.receipts.none": ("none yet", "まだありません"),
    "web.stage.quantum": ("quantum", "区間"),
    "web.stage.received": ("order received", "命令受領"),
    "web.stage.checkpointed": ("checkpointed", "保存"),
    "web.stage.halted": ("halted", "停止"),
    "web.stage.resumed": ("resumed", "再開"),
    "web.stage.final": ("lease closed", "リース終了"),
    "web.stage.refused": ("refused", "拒否"),
    "web.enrolment": ("Enrolment", "登録内容"),
    "web.site": ("Site", "拠点"),
    "web.operator": ("Operator", "事業者"),
    "web.driver": ("Driver", "制御方式"),
    "web.counter": ("Counter", "計数器"),
    "web.counter.C0": (
        "a file: can be rolled back, so online only",
        "ファイル：巻き戻し可能のため常時接続が必要",
    ),
    "web.counter.C1": ("kept apart from the state, online only", "状態と分離、常時接続が必要"),
    "web.counter.C2": ("hardware, cannot go back", "ハードウェア、後退不可"),
    "web.canary": ("Canary", "試験用の計算"),
    "web.devices": ("Devices", "装置"),
    "web.basis.table": ("peak from the chip table", "最大性能はチップ表による"),
    "web.basis.declared": ("peak as declared", "最大性能は申告値"),
    "web.device.key": ("has a key of its own", "固有の鍵あり"),
    "web.device.keyless": (
        "has no key: corroborated at best",
        "固有の鍵なし：裏付けまでが上限",
    ),
    # --- the console: proof
    "web.proof.title": ("Proof", "証明"),
    "web.proof.ask": ("What do you want proved?", "何を証明しますか"),
    "web.proof.label": (
        "Leaf digest, payload digest or index (#12)",
        "リーフまたは本文のダイジェスト、または番号（#12）",
    ),
    "web.proof.look": ("Look it up", "調べる"),
    "web.proof.not-found": ("Nothing is shown:", "表示できません："),
    "web.proof.not-yet": (
        "The entry is in the log, but no witnessed checkpoint covers it yet. Until then there is no proof to take along.",
        "記録はログにありますが、立会い済みのチェックポイントにはまだ含まれません。証明はその後に得られます。",
    ),
    "web.proof.inclusion": (
        "Inclusion in a witnessed checkpoint",
        "立会い済みチェックポイントへの包含",
    ),
    "web.proof.place": ("Place", "位置"),
    "web.proof.place.say": ("entry {index} of {size}", "全 {size} 件中の {index} 番"),
    "web.proof.root": ("Root", "ルート"),
    "web.proof.path": ("Path to the root", "ルートへの経路"),
    "web.proof.path.none": ("none: the entry is the whole tree", "なし：記録が木の全体です"),
    "web.proof.witnesses": ("Cosigned by", "連署"),
    "web.proof.download": ("tlog-proof", "tlog-proof"),
    "web.proof.download.envelope": ("the entry itself", "記録そのもの"),
    "web.proof.download.inclusion": ("inclusion as JSON", "包含証明（JSON）"),
    "web.proof.means": ("What this proves", "証明すること"),
    "web.proof.means-not": ("What it does not prove", "証明しないこと"),
    "web.proves.1": (
        "These exact bytes stand at this place of the log whose key you trust.",
        "このバイト列そのものが、信頼するログのこの位置にあること。",
    ),
    "web.proves.2": (
        "The witnesses saw a log that contains it, at the times named.",
        "立会人が、示された時刻に、これを含むログを見たこと。",
    ),
    "web.proves.3": (
        "The keys named signed it, and the charter gave them the power to.",
        "示された鍵が署名し、憲章がその権限を与えていたこと。",
    ),
    "web.proves-not.1": ("That what it says is true.", "内容が真実であること。"),
    "web.proves-not.2": (
        "That nothing was kept out of the log.",
        "ログから漏れたものがないこと。",
    ),
    "web.proves-not.3": (
        "Anything, where key and policy came from this server: bring your own trust file.",
        "鍵と方針をこのサーバーから得た場合は、何も証明しません。自分の信頼ファイルを使ってください。",
    ),
    "web.proof.offline": ("Check it offline", "オフラインでの検証"),
    "web.proof.offline.why": (
        "The arithmetic alone, with the JSON file:",
        "計算だけを確かめるには、JSON ファイルで：",
    ),
    "web.proof.offline.whole": (
        "The whole of it, with your own trust.json: log key, cosignatures, quorum, path.",
        "全体を確かめるには、自分の trust.json で：ログの鍵、連署、定足数、経路。",
    ),
    "web.signed-by": ("Signed by", "署名者"),
    "web.key-unknown": ("a key that the charter in force does not name", "現行の憲章にない鍵"),
    # --- the console: the log's entries in words
    "web.kind.charter-adopted": ("Charter", "憲章"),
    "web.kind.host-enrolled": ("Host enrolled", "ホスト登録"),
    "web.kind.host-retired": ("Host retired", "ホスト除籍"),
    "web.kind.party-enrolled": ("Party enrolled", "当事者登録"),
    "web.kind.pack-published": ("Rule pack", "規則集"),
    "web.kind.agent-released": ("Agent release", "エージェント公開"),
    "web.kind.time-marked": ("Time mark", "時刻標"),
    "web.kind.run-declared": ("Run declared", "計算の届出"),
    "web.kind.licence-issued": ("Licence", "許可"),
    "web.kind.licence-revoked": ("Licence revoked", "許可の取消し"),
    "web.kind.lease-granted": ("Lease", "リース付与"),
    "web.kind.lease-closed": ("Lease closed", "リース終了"),
    "web.kind.usage-reported": ("Usage report", "利用報告"),
    "web.kind.receipt-given": ("Receipt", "報告"),
    "web.kind.checkpoint-recorded": ("Checkpoint", "チェックポイント"),
    "web.kind.order-issued": ("Order", "命令"),
    "web.kind.orders-in-force": ("Orders in force", "有効な命令"),
    "web.kind.observation-made": ("Observation", "観測"),
    "web.kind.challenge-answered": ("Challenge answered", "課題への回答"),
    "web.kind.halt-judged": ("Verdict", "判定"),
    "web.kind.finding-raised": ("Finding", "指摘"),
    "web.says.charter-adopted": (
        'Version {version} of the charter "{name}" is adopted, profile {profile}.',
        "憲章「{name}」第 {version} 版を採択（類型 {profile}）。",
    ),
    "web.says.host-enrolled": (
        "Host {host} at {site} is enrolled with {devices} device(s).",
        "拠点 {site} のホスト {host} を装置 {devices} 台とともに登録。",
    ),
    "web.says.host-retired": ("Host {host} is retired: {reason}", "ホスト {host} を除籍：{reason}"),
    "web.says.party-enrolled": (
        "{party} of {organisation} is enrolled.",
        "{organisation} の {party} を登録。",
    ),
    "web.says.pack-published": (
        "Rule pack {name} {version} is published.",
        "規則集 {name} {version} を公開。",
    ),
    "web.says.agent-released": ("Agent {version} is released.", "エージェント {version} を公開。"),
    "web.says.time-marked": (
        "Closes the recorded time of the entries before it.",
        "これより前の記録の登録時刻を確定します。",
    ),
    "web.says.run-declared": (
        "{party} declares run {run}: {flop} planned.",
        "{party} が計算 {run} を届出：予定 {flop}。",
    ),
    "web.says.licence-issued": (
        'Licence {number} for run {run}: {flop}, on the decision "{decision}".',
        "計算 {run} に許可 {number}：{flop}、判定「{decision}」に基づく。",
    ),
    "web.says.licence-revoked": (
        "Licence {number} is revoked: {reason}",
        "許可 {number} を取消し：{reason}",
    ),
    "web.says.lease-granted": (
        "Lease {number} for {host} until {until}; its allowance is concealed.",
        "{host} にリース {number} を付与、期限 {until}。割当量は秘匿。",
    ),
    "web.says.lease-closed": (
        "Lease {number} of {host} is closed: {how}.",
        "{host} のリース {number} を終了：{how}。",
    ),
    "web.says.usage-reported": ("Usage of {licensee} is reported.", "{licensee} の利用を報告。"),
    "web.says.receipt-given": (
        '{host} says "{stage}" under order {order}.',
        "{host} が命令 {order} について「{stage}」と報告。",
    ),
    "web.says.checkpoint-recorded": (
        "{host} records a checkpoint of {run}.",
        "{host} が {run} のチェックポイントを記録。",
    ),
    "web.says.order-issued": (
        "A {kind} is issued, {order}: {effect}.",
        "{kind} を発出、{order}：{effect}。",
    ),
    "web.says.orders-in-force": (
        "The registers say: {count} order(s) in force.",
        "登録簿による有効な命令：{count} 件。",
    ),
    "web.says.observation-made": (
        "An observer read {host} {readings} times and saw {cpu} ms of processor time.",
        "観測者が {host} を {readings} 回確認、計算時間 {cpu} ms。",
    ),
    "web.says.challenge-answered": (
        "{device} answers a challenge over {bytes} bytes of memory.",
        "{device} がメモリ {bytes} バイトの課題に回答。",
    ),
    "web.says.halt-judged": (
        "{host} is judged {degree}, until {until}.",
        "{host} を {degree} と判定、期限 {until}。",
    ),
    "web.says.finding-raised": ("{finding} at {host}: {detail}", "{host} に {finding}：{detail}"),
}

_COLUMN: Final[Mapping[Language, int]] = {"en": 0, "ja": 1}


def say(key: str, language: Language, **values: object) -> str:
    """The message of `key` in `language`, with its values put in. Raises KeyError for no such key."""
    return MESSAGES[key][_COLUMN[language]].format(**values)
