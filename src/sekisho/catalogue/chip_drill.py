"""What the drill of the chips tells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["MESSAGES"]

MESSAGES: Final[Mapping[str, tuple[str, str]]] = {
    "chip.drill.step.found": (
        "Found a regime: charter, log, two witnesses, a register",
        "体制を創設する：憲章、ログ、二つの証人、台帳",
    ),
    "chip.drill.step.enrol": (
        "Enrol a maker, a distributor and a cloud; an inspector holds a key of the charter",
        "製造者、販売者、クラウド事業者を登録する。査察官は憲章の鍵を持つ",
    ),
    "chip.drill.step.make": (
        "Register 16 accelerators with their device keys, in two servers",
        "機器鍵とともに加速器 16 基を、二台のサーバーで登録する",
    ),
    "chip.drill.step.early": (
        "Ship: the receipt comes first, waits, and then takes effect",
        "出荷する：受領が先に届き、待ち、それから効力を持つ",
    ),
    "chip.drill.step.deliver": (
        "Custody passes at the receiver's signed receipt, and not before",
        "管理責任は受領者の署名した受領で移り、それより前には移らない",
    ),
    "chip.drill.step.install": (
        "Install, count: the book balances to the component",
        "設置し、数える：帳簿は一点の狂いもなく合う",
    ),
    "chip.drill.step.correct": (
        "Mend an honest mistake; refuse an undoing that rewrites a later transfer",
        "誤記を訂正する。後の移転を書き換える取消しは拒否する",
    ),
    "chip.drill.step.divert": (
        "Divert: one server leaves unrecorded, its labels go onto a dummy",
        "横流し：一台が記録なしに運び出され、ラベルは偽物に貼られる",
    ),
    "chip.drill.step.labels": (
        "Inspect by labels: everything agrees",
        "ラベルで査察する：すべて合う",
    ),
    "chip.drill.step.challenge": (
        "Inspect by device keys: a fresh nonce to whatever stands behind each label",
        "機器鍵で査察する：各ラベルの背後にあるものに新しいノンスを送る",
    ),
    "chip.drill.step.elsewhere": (
        "The same serials answer in a warehouse elsewhere",
        "同じ製造番号が別の倉庫で応答する",
    ),
    "chip.drill.step.balance": (
        "Close the balance by what proved itself",
        "自らを証明したものだけで収支を締める",
    ),
    "chip.drill.step.passports": (
        "Issue the passports of a genuine and a diverted chip",
        "正規のチップと横流しされたチップのパスポートを発行する",
    ),
    "chip.drill.step.verify": (
        "Judge copies of the evidence in a process without this home",
        "このホームを持たないプロセスで証拠の写しを判定する",
    ),
    # --- founding and trade
    "chip.drill.founded": (
        "log {origin}; charter version {version}, profile {profile}",
        "ログ {origin}、憲章 第 {version} 版、類型 {profile}",
    ),
    "chip.drill.enrolled": ("{party}: key {id}", "{party}：鍵 {id}"),
    "chip.drill.inspector": (
        "inspector: key {id}, a verifier's of the charter",
        "査察官：鍵 {id}、憲章の検証者の鍵",
    ),
    "chip.drill.made": (
        "{chips} × {model}, each with the digest of a key of its own, in {servers} servers: {all} components",
        "{model} × {chips}、それぞれ固有の鍵の要約付き、サーバー {servers} 台、合わせて {all} 点",
    ),
    "chip.drill.early": (
        "receipt without its shipment: waits; custodian is still {custodian}",
        "出荷の届け出がない受領：保留。管理責任者は {custodian} のまま",
    ),
    "chip.drill.released": (
        "the shipment is told late: both take effect; custodian is {custodian}",
        "出荷が遅れて届け出られた：両方が効力を持つ。管理責任者は {custodian}",
    ),
    "chip.drill.under-way": (
        "shipped on: custodian is still {custodian}",
        "次へ出荷：管理責任者は {custodian} のまま",
    ),
    "chip.drill.unsigned": (
        "a receipt that nobody signed: kept, no effect; custodian is still {custodian}",
        "誰も署名していない受領：保存するが効力なし。管理責任者は {custodian} のまま",
    ),
    "chip.drill.received": (
        "the receiver's signed receipt: custodian is {custodian}",
        "受領者が署名した受領：管理責任者は {custodian}",
    ),
    "chip.drill.balance": (
        "balance {number} of the hall: book {book}, counted {counted}, difference {difference} components: {verdict} ({reasons})",
        "建屋の収支 第 {number} 回：帳簿 {book}、実数 {counted}、差 {difference} 点：{verdict}（{reasons}）",
    ),
    "chip.drill.corrected": (
        "{wrong} was told as out of use: declared wrong, struck through; the corrective event names {right}",
        "{wrong} を使用停止と誤記：誤りと宣言し、取消線を引く。訂正イベントは {right} を指す",
    ),
    "chip.drill.refused": (
        "maker and distributor declare their shipment an error: refused, {why} ({code}); custodian is still {custodian}",
        "製造者と販売者が出荷を誤りと宣言：拒否、{why}（{code}）。管理責任者は {custodian} のまま",
    ),
    # --- diversion
    "chip.drill.diverted": (
        "{server} with {chips} accelerators is gone; no event tells it",
        "{server} と加速器 {chips} 基が消えた。これを伝えるイベントはない",
    ),
    "chip.drill.dummies": (
        "behind its labels now: empty boxes, boards with keys of their own, players of recorded answers",
        "今そのラベルの背後にあるもの：空箱、別の鍵を持つ基板、録音した応答の再生機",
    ),
    "chip.drill.labels": (
        "asset register: {lines} labels read, {differing} contradict the book",
        "資産台帳：ラベル {lines} 枚を読取り、帳簿と矛盾するもの {differing} 枚",
    ),
    "chip.drill.labels-pass": (
        "label inspection passes, although 8 of 16 accelerators are gone",
        "加速器 16 基のうち 8 基が消えているのに、ラベル査察は合格する",
    ),
    "chip.drill.labels-unverifiable": (
        "the register itself calls all {count} of them unverifiable: no device has spoken",
        "台帳自体はその {count} 点すべてを検証不能とする：どの機器も応答していない",
    ),
    "chip.drill.outcome": ("{count} labels: {outcome}", "ラベル {count} 枚：{outcome}"),
    "chip.drill.outcome.registered-key": (
        "the fresh nonce is signed with the registered key",
        "新しいノンスに登録済みの鍵で署名した",
    ),
    "chip.drill.outcome.other-key": (
        "it is signed with another key",
        "別の鍵で署名した",
    ),
    "chip.drill.outcome.not-this-nonce": (
        "the answer is to an older nonce: a recording",
        "古いノンスへの応答：録音である",
    ),
    "chip.drill.outcome.unanswered": ("nothing answers", "応答がない"),
    "chip.drill.other-key": (
        "found: {count} labels with another device key ({code})",
        "発見：別の機器鍵を持つラベル {count} 枚（{code}）",
    ),
    "chip.drill.silent": (
        "{count} showed no key of their own for this nonce: {verdict}, never present",
        "{count} 枚はこのノンスに鍵を示さない：{verdict}であり、存在とは扱わない",
    ),
    "chip.drill.clone": (
        "found: {count} serials active in {hall} and answering in {elsewhere} ({code})",
        "発見：{hall} で使用中の製造番号 {count} 個が {elsewhere} で応答（{code}）",
    ),
    "chip.drill.findings": ("findings in the log: {findings}", "ログ上の所見：{findings}"),
    # --- evidence
    "chip.drill.paper.genuine": ("genuine", "正規"),
    "chip.drill.paper.diverted": ("diverted", "横流し"),
    "chip.drill.paper.forged": ("forged", "偽造"),
    "chip.drill.paper": (
        "{name} chip {epc}: {lines} lines, custodian {custodian}; the record {verdict}",
        "{name}チップ {epc}：{lines} 行、管理責任者 {custodian}。記録は{verdict}",
    ),
    "chip.drill.paper-alert": (
        "  ! #{number} {alert}: {detail}",
        "  ! #{number} {alert}：{detail}",
    ),
    "chip.drill.rebuilt": (
        "made again from its {events} events, the register is the same",
        "イベント {events} 件から作り直した台帳は同一",
    ),
    "chip.drill.judged": (
        "passport of the {name} chip, by log and trust root alone: {verdict}",
        "{name}チップのパスポート、ログと信頼の起点だけによる判定：{verdict}",
    ),
    "chip.drill.holds-means": (
        "holds says that no line was changed since it was logged; that the diverted chip is in two places stands in its lines",
        "「成立」は、記録後にどの行も変わっていないことを示す。横流しチップが二か所にあることは、その行に書かれている",
    ),
    "chip.drill.limit": ("limit: {limit}", "限界：{limit}"),
    # --- the end
    "chip.drill.holds": (
        "The drill holds: every step did what was announced. The device keys were software in this process; nothing here tried silicon, a seal or a scanner.",
        "予行は成立：すべての段階が予告どおりに進みました。機器鍵はこのプロセス内のソフトウェアです。半導体、封印、読取機は試していません。",
    ),
    "chip.drill.fails": (
        "The drill fails: the last step above says why.",
        "予行は不成立：理由は上の最後の段階にあります。",
    ),
    "chip.drill.kept": ("The home is kept: {home}", "ホームは残します：{home}"),
}
