"""What the commands around a log and its tables say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["MESSAGES"]

MESSAGES: Final[Mapping[str, tuple[str, str]]] = {
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
}
