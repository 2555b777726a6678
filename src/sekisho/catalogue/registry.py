"""Messages of the register on the command line: documents, custody, balances, production, inventories."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["MESSAGES"]

MESSAGES: Final[Mapping[str, tuple[str, str]]] = {
    "cli.command.registry": (
        "Keep chips in custody: EPCIS documents, passports, balances, production, inventories.",
        "チップの管理: EPCIS 文書、パスポート、収支、生産、在庫。",
    ),
    "registry.validate.holds": (
        "Sound: {events} events read, {problems} problems.",
        "正常です: イベント {events} 件、問題 {problems} 件。",
    ),
    "registry.validate.fails": (
        "Not sound: {events} events read, {problems} problems. Mend these places:",
        "正常ではありません: イベント {events} 件、問題 {problems} 件。次の箇所を直してください:",
    ),
    "registry.validate.whole": ("(whole document)", "(文書全体)"),
    "registry.hash.none": (
        "(not sound: no hash id)",
        "(正常ではないためハッシュ ID なし)",
    ),
    # --- inventories: tables of firms, fleet agents, differences
    "registry.import.bar": ("reading the table", "表を読込中"),
    "registry.import.done": (
        "{kind}, {encoding}: {taken} rows taken, {refused} refused.",
        "{kind}、{encoding}: {taken} 行を取込、{refused} 行を拒否。",
    ),
    "registry.import.proposed": (
        "The columns were taken from the headings; look at them with `sekisho registry map`.",
        "列は見出しから推定しました。`sekisho registry map` で確認してください。",
    ),
    "registry.import.kept": (
        "Kept in the home as the newest of its site and kind.",
        "その拠点・種別の最新版として保存しました。",
    ),
    "registry.import.draft": (
        "{file}: {events} events of {items} items, to be signed by their party; {out} lines left out.",
        "{file}: イベント {events} 件、品目 {items} 件。当事者の署名が必要です。除外 {out} 行。",
    ),
    "registry.import.row": ("  line {line}: {error}", "  {line} 行目: {error}"),
    "registry.table.packing-list": ("packing list", "梱包明細書"),
    "registry.table.asset-register": ("asset register", "資産台帳"),
    "registry.map.proposed": (
        "{kind}, headings on line {line}:",
        "{kind}、見出しは {line} 行目:",
    ),
    "registry.map.unknown": (
        "Kept as they are: {names}",
        "そのまま保持する列: {names}",
    ),
    "registry.reconcile.holds": (
        "{site} holds: {holds} items agree, {fails} differ, {unverifiable} unverifiable.",
        "{site} は一致: 一致 {holds} 件、相違 {fails} 件、検証不能 {unverifiable} 件。",
    ),
    "registry.reconcile.fails": (
        "{site} fails: {fails} items differ, {unverifiable} unverifiable, {holds} agree.",
        "{site} は不一致: 相違 {fails} 件、検証不能 {unverifiable} 件、一致 {holds} 件。",
    ),
    "registry.reconcile.unverifiable": (
        "{site} is unverifiable: nobody observed {unverifiable} items; {holds} agree, {fails} differ.",
        "{site} は検証不能: 未観測 {unverifiable} 件、一致 {holds} 件、相違 {fails} 件。",
    ),
    "registry.reconcile.word.fails": ("FAILS", "不一致"),
    "registry.reconcile.word.unverifiable": ("UNVERIFIABLE", "検証不能"),
    "registry.reconcile.column.verdict": ("verdict", "判定"),
    "registry.reconcile.column.code": ("difference", "相違コード"),
    "registry.reconcile.column.item": ("item", "品目"),
    "registry.reconcile.column.epc": ("EPC", "EPC"),
    "registry.reconcile.column.model": ("model", "型番"),
    "registry.reconcile.column.reasons": ("reasons", "理由"),
    "registry.reconcile.column.sources": ("sources", "出典"),
    "inventory.code.clone": ("one number at two nodes at once", "同一番号が同時に二か所"),
    "inventory.code.other-uuid": ("known serial on another device", "既知のシリアルが別の機器に"),
    "inventory.code.other-serial": (
        "known device under another serial",
        "既知の機器に別のシリアル",
    ),
    "inventory.code.other-device-key": ("other device key", "デバイス鍵の不一致"),
    "inventory.code.stolen-observed": ("stolen, and turned up", "盗難品を観測"),
    "inventory.code.retired-observed": ("destroyed, and turned up", "廃棄済み品を観測"),
    "inventory.code.lost-observed": ("lost, and turned up", "紛失品を観測"),
    "inventory.code.not-received": ("here, and nobody received it", "受領記録なしに観測"),
    "inventory.code.unregistered": ("not registered", "未登録"),
    "inventory.code.elsewhere": ("elsewhere by another source", "別の拠点との記録"),
    "inventory.code.model-mismatch": ("other model", "型番の不一致"),
    "inventory.code.holder-mismatch": ("other holder", "保有者の不一致"),
    "inventory.code.state-mismatch": ("declared gone, and here", "除却の申告に反して存在"),
    "inventory.code.missing": ("not observed", "未観測"),
    "inventory.code.undeclared": ("not in the asset register", "資産台帳に記載なし"),
    "inventory.code.count-mismatch": ("other count", "数量の不一致"),
    "registry.fleet.token": (
        "For {site}, {nodes} hosts at most, until {until}. This is the only time it is shown.",
        "{site} 用、最大 {nodes} 台、{until} まで。表示は今回限りです。",
    ),
    "registry.fleet.row": (
        "{digest}  {site}: {used} of {most} hosts, until {until}",
        "{digest}  {site}: {most} 台中 {used} 台、{until} まで",
    ),
    "registry.fleet.row.revoked": (
        "{digest}  {site}: {used} of {most} hosts, revoked (was until {until})",
        "{digest}  {site}: {most} 台中 {used} 台、失効 (期限 {until})",
    ),
    "registry.fleet.none": ("None.", "ありません。"),
    "registry.fleet.revoked": (
        "Ended {digest} and every enrolment under it.",
        "{digest} とその登録をすべて終了しました。",
    ),
    "registry.fleet.node": (
        "{node}  {site}, last reported {last}",
        "{node}  {site}、最終報告 {last}",
    ),
    "registry.fleet.node.silent": (
        "{node}  {site}, has not reported ({last})",
        "{node}  {site}、報告なし ({last})",
    ),
    "registry.fleet.released": (
        "{node} may enrol anew; the old enrolment ended.",
        "{node} は再登録できます。以前の登録は終了しました。",
    ),
    # --- passports, chips
    "registry.passport.no-root": (
        "No trust root of yours is for the log of this passport: name one with --policy, or sekisho trust add.",
        "このパスポートのログに対する信頼の起点がありません。--policy で指定するか、sekisho trust add で追加してください。",
    ),
    "registry.passport.written": ("Written to {file}.", "{file} に書き出しました。"),
    "registry.chips.more": ("More behind --after {epc}", "続きは --after {epc}"),
    "registry.chips.none": (
        "Nothing in the register fits.",
        "該当するものは登録簿にありません。",
    ),
    # --- capture, endorsements, events
    "registry.capture.bar": ("handing in", "提出中"),
    "registry.capture.row": (
        "{file}: {events} events, {taken} taken, {waiting} waiting, {refused} refused, {repeated} repeated; {who}",
        "{file}: イベント {events} 件、有効 {taken}、待機 {waiting}、拒否 {refused}、重複 {repeated}。{who}",
    ),
    "registry.capture.unsigned": (
        "unsigned: kept as seen, it moves nothing",
        "署名なし (観測として記録、効力なし)",
    ),
    "registry.capture.why": (
        "why, event by event: sekisho registry alerts",
        "理由 (イベント別): sekisho registry alerts",
    ),
    "registry.alerts.row": (
        "event {number}  {word} ({code})  {epc}: {detail}",
        "イベント {number}  {word} ({code})  {epc}: {detail}",
    ),
    "registry.alerts.none": ("No alert.", "警告はありません。"),
    "registry.alerts.more": ("More behind --before {place}", "続きは --before {place}"),
    "registry.export.bar": ("reading the log", "ログを読込中"),
    "registry.export.done": (
        "Bundle written to {bundle}, the same as {tar}: {size} log entries, {events} events of the register.",
        "証拠一式を {bundle} に書き出しました (同じ内容: {tar})。ログ {size} 件、登録簿のイベント {events} 件。",
    ),
    "registry.export.behind": (
        "{count} events are newer than the newest witnessed checkpoint and not in it: export again later.",
        "イベント {count} 件は立会済みの最新チェックポイントより新しく、含まれていません。後で再度実行してください。",
    ),
    "registry.capture.ask": ("Vouch for this, and hand it in?", "これを保証して提出しますか?"),
    "registry.capture.not-party": (
        "was captured, but not on the word of {party}",
        "記録されましたが、{party} の保証ではありません",
    ),
    "registry.sign.file": ("{file}\n  SHA-256 {sha256}", "{file}\n  SHA-256 {sha256}"),
    "registry.sign.events": (
        "  {events} events about {epcs} chips and things",
        "  イベント {events} 件、対象 {epcs} 点",
    ),
    "registry.sign.span": ("  from {since} to {until}", "  {since} から {until} まで"),
    "registry.sign.steps": ("steps", "業務ステップ"),
    "registry.sign.places": ("places", "場所"),
    "registry.sign.parties": ("between", "当事者"),
    "registry.sign.declarations": (
        "  {count} of them declare earlier events wrong",
        "  うち {count} 件は過去のイベントの誤り宣言",
    ),
    "registry.sign.problems": (
        "  {count} problems; what has one is not captured:",
        "  問題 {count} 件。該当するイベントは記録されません:",
    ),
    "registry.sign.phrase": ("  digest phrase: {phrase}", "  ダイジェスト句: {phrase}"),
    "registry.sign.log": ("  for the log {log}", "  対象ログ: {log}"),
    "registry.sign.done": (
        "{file}: signed with key {id}; {count} signatures in all.",
        "{file}: 鍵 {id} で署名しました。署名は計 {count} 件です。",
    ),
    "registry.events.row": (
        "{number}  {at}  {step}  {type}, {count} things, {outcome}; {who}",
        "{number}  {at}  {step}  {type}、{count} 点、{outcome}。{who}",
    ),
    "registry.events.taken": ("in effect", "有効"),
    "registry.events.unsigned": ("unsigned", "署名なし"),
    "registry.events.seen": ("seen, moves nothing", "観測のみ (効力なし)"),
    "registry.events.waiting": ("waiting", "待機"),
    "registry.events.refused": ("refused", "拒否"),
    "registry.events.voided": ("declared wrong", "誤りと宣言済み"),
    "registry.events.none": ("No event fits.", "該当するイベントはありません。"),
    "registry.check.bar": ("replaying events", "イベントを再生中"),
    "registry.check.holds": (
        "holds: {derived} derived values are what {events} events give.",
        "一致: 導出値 {derived} 件はイベント {events} 件の結果どおりです。",
    ),
    "registry.check.fails": (
        "fails: {count} of {derived} derived values are not what {events} events give. Was register.json changed? Then: sekisho registry rebuild. The first:",
        "不一致: 導出値 {derived} 件中 {count} 件がイベント {events} 件の結果と異なります。register.json を変更した場合は sekisho registry rebuild。最初の箇所:",
    ),
    "registry.rebuilt": (
        "Made again from {events} events, {effects} of which took effect.",
        "イベント {events} 件 (有効 {effects} 件) から再構築しました。",
    ),
    "registry.terms.read": (
        "{file}, or the defaults where it is missing:",
        "{file} (無ければ既定値):",
    ),
    "registry.terms.written": (
        "Written to {file}; the register reads it when it starts.",
        "{file} に書き出しました。登録簿の起動時に読み込まれます。",
    ),
}
