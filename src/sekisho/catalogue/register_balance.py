"""Messages of balances and production, on the command line and in the console."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["MESSAGES"]

MESSAGES: Final[Mapping[str, tuple[str, str]]] = {
    # --- words that both faces share
    "balance.area": ("Balance area", "物質収支区域"),
    "balance.keeper": ("Keeper", "管理者"),
    "balance.country": ("Country", "国"),
    "balance.held": ("In the book", "帳簿在庫"),
    "balance.opening": ("Opening", "期首在庫"),
    "balance.opening.counted": ("Opening, as counted last", "期首在庫（前回実査）"),
    "balance.opening.first": ("Opening: the ledger begins", "期首在庫（記帳開始）"),
    "balance.opening.book": (
        "Opening by the book: nobody counted last time",
        "期首在庫（帳簿。前回は実査なし）",
    ),
    "balance.increases": ("Increases", "増加"),
    "balance.decreases": ("Decreases", "減少"),
    "balance.book": ("Book at the end", "期末帳簿在庫"),
    "balance.counted": ("Counted", "実在庫"),
    "balance.unaccounted": ("Unaccounted for (+ = loss)", "未計量差（+ は損失）"),
    "balance.cumulative": (
        "Book less count, earlier periods included (+ = loss)",
        "帳簿と実査の差の累計（+ は損失）",
    ),
    "balance.late": (
        "{count} lines belong to periods closed before they were known.",
        "{count} 行は締め済みの期に属し、後から判明したものです。",
    ),
    "balance.missing": ("Missing", "所在不明"),
    "balance.surplus": ("Counted and not in the book", "帳簿にない現物"),
    "balance.contradicted": (
        "Booked since against the last count",
        "前回実査と矛盾する後日の記帳",
    ),
    "balance.not-measured": ("not measured", "未計量"),
    "balance.unit": ("components", "個"),
    "balance.verdict.holds": ("holds", "成立"),
    "balance.verdict.fails": ("fails", "不成立"),
    "balance.verdict.unverifiable": ("unverifiable", "検証不能"),
    "balance.type.ICR": ("Inventory change report", "在庫変動報告"),
    "balance.type.PIL": ("Physical inventory listing", "実在庫明細"),
    "balance.type.MBR": ("Material balance report", "物質収支報告"),
    "balance.code.PB": ("opening", "期首実在庫"),
    "balance.code.BA": ("book at the end", "期末帳簿在庫"),
    "balance.code.PE": ("counted at the end", "期末実在庫"),
    "balance.code.MF": ("unaccounted for (out = loss)", "未計量差（出 = 損失）"),
    "balance.code.domestic-receipt": ("domestic receipt", "国内受入"),
    "balance.code.import": ("import", "輸入"),
    "balance.code.receipt-from-outside": ("receipt from outside the regime", "制度外からの受入"),
    "balance.code.from-conditioned-store": ("from the conditioned store", "処理済み保管から"),
    "balance.code.from-cold-storage": ("from cold storage", "長期保管から"),
    "balance.code.found": ("found", "発見"),
    "balance.code.other-production": ("other production", "その他の生産"),
    "balance.code.commissioned": ("made and commissioned", "製造・登録"),
    "balance.code.domestic-shipment": ("domestic shipment", "国内払出"),
    "balance.code.export": ("export", "輸出"),
    "balance.code.shipment-to-outside": ("shipment outside the regime", "制度外への払出"),
    "balance.code.to-conditioned-store": ("to the conditioned store", "処理済み保管へ"),
    "balance.code.discarded": ("discarded", "廃棄放出"),
    "balance.code.to-cold-storage": ("to cold storage", "長期保管へ"),
    "balance.code.lost": ("lost", "紛失"),
    "balance.code.terminated": ("use terminated", "使用終了"),
    "balance.code.stolen": ("stolen", "盗難"),
    "balance.code.destroyed": ("destroyed", "破壊"),
    "balance.code.exempt-use": ("exempt use", "免除使用"),
    "balance.code.reported-production": ("production as reported", "生産（報告値）"),
    "balance.code.reported-loss": ("loss as reported", "損耗（報告値）"),
    "balance.code.shipper-receiver-difference": ("shipper-receiver difference", "受払間差異"),
    "balance.code.new-measurement": ("new measurement", "再計量"),
    "balance.code.balance-adjustment": ("balance adjustment", "収支調整"),
    "balance.code.material-unaccounted-for": ("unaccounted for", "未計量差"),
    "balance.code.rounding": ("rounding", "丸め"),
    "balance.code.rounding-other": ("other rounding", "その他の丸め"),
    "balance.code.book-adjusted": ("adjusted book", "調整後帳簿在庫"),
    "balance.code.pair-out": ("change in a pair, out", "対の変更（出）"),
    "balance.code.pair-in": ("change in a pair, in", "対の変更（入）"),
    "balance.reason.missing-items": (
        "what the book holds was not all counted",
        "帳簿の一部が実査で見つからない",
    ),
    "balance.reason.surplus-items": (
        "something was counted that the book does not hold",
        "帳簿にない現物がある",
    ),
    "balance.reason.inventory-missing": (
        "nobody counted at the end",
        "期末の実査がない",
    ),
    "balance.reason.opening-not-counted": (
        "nobody counted at the start: the period's own figure is not measured",
        "期首の実査がなく、当期の未計量差は未計量",
    ),
    "balance.reason.contradicts-inventory": (
        "what was booked later contradicts the last count",
        "後日の記帳が前回実査と矛盾する",
    ),
    "balance.reason.impossible-book": (
        "the ledger counts a component other than 0 or 1 times",
        "帳簿が同一品を 0・1 以外の回数で数えている",
    ),
    "balance.transit.matched": ("received whole", "全数受領"),
    "balance.transit.differs": ("differs", "差異あり"),
    "balance.transit.under-way": ("under way", "輸送中"),
    "balance.transit.overdue": ("overdue", "受領期限超過"),
    "balance.transit.not-received": ("receiver says nothing", "受領側の報告なし"),
    "balance.transit.not-shipped": ("shipper says nothing", "払出側の報告なし"),
    # --- the console
    "web.chips.part.balances": ("Balances", "物質収支"),
    "web.chips.part.transit": ("Transit", "輸送中"),
    "web.balance.title": ("Balance areas", "物質収支区域"),
    "web.balance.of": ("Balance of {area}", "{area} の物質収支"),
    "web.balance.why": (
        "The verdict is the last closed balance's: an area that nobody counted is unverifiable, never balanced.",
        "判定は直近に締めた収支のものです。実査のない区域は「検証不能」であり、一致とはみなしません。",
    ),
    "web.balance.empty": ("No area is known.", "区域がありません。"),
    "web.balance.last": ("Last balance", "直近の収支"),
    "web.balance.never": ("never closed", "未締め"),
    "web.balance.verdict": ("Verdict", "判定"),
    "web.balance.sheet": ("Material balance report No. {number}", "物質収支報告 第 {number} 号"),
    "web.balance.code": ("Code", "符号"),
    "web.balance.what": ("What", "内容"),
    "web.balance.count": ("Components", "個数"),
    "web.balance.period": ("Period", "期間"),
    "web.balance.closed": ("Closed", "締めた日時"),
    "web.balance.by": ("Closed by", "締めた者"),
    "web.balance.other": ("All periods", "全期間"),
    "web.balance.chart": ("Unaccounted for, period by period", "期別の未計量差"),
    "web.balance.chart.items": (
        "Components, + = loss. Items are counted exactly: no error, so anything but 0 is a finding.",
        "単位: 個、+ は損失。個品は正確に数えるため誤差はなく、0 以外はすべて要調査です。",
    ),
    "web.balance.chart.bulk": (
        "FLOP, + = undeclared. Band: three sigma of the sum; whiskers: three sigma of the period.",
        "単位: FLOP、+ は未申告。帯: 累計の 3σ、ひげ: 当期の 3σ。",
    ),
    "web.balance.chart.alt": (
        "{area}: bars are periods, the line their sum; the upper edge is {limit}. The table below says the same.",
        "{area}: 棒は各期、線は累計、上端は {limit}。下の表と同じ内容です。",
    ),
    "web.balance.chart.axis": (
        "Upper edge +{limit}, middle 0, lower edge -{limit} {unit}. Oldest period on the left.",
        "上端 +{limit}、中央 0、下端 -{limit} {unit}。左が最も古い期です。",
    ),
    "web.balance.difference": ("Unaccounted for", "未計量差"),
    "web.balance.sigma": ("3 sigma", "3σ"),
    "web.balance.sum": ("Cumulated", "累計"),
    "web.balance.sum.sigma": ("3 sigma of the sum", "累計の 3σ"),
    "web.balance.bulk": ("Bulk areas: FLOP", "バルク区域: FLOP"),
    "web.balance.bulk.source": (
        "Errors: {method}: random {random}, systematic {systematic} ({source})",
        "誤差: {method}: 偶然 {random}、系統 {systematic}（{source}）",
    ),
    "web.balance.significant": ("Significant quantity: {flop}", "有意量: {flop}"),
    "web.balance.coarse": ("too coarse to tell", "精度不足で判定不能"),
    "web.balance.named": ("{count} by identifier", "識別子 {count} 件"),
    "web.transit.title": ("In transit", "輸送中"),
    "web.transit.why": (
        "Shipments that are not received whole, oldest first. Until the receipt the shipper answers for them.",
        "全数受領されていない出荷（古い順）。受領までは出荷者が責任を負います。",
    ),
    "web.transit.reference": ("Movement", "移動番号"),
    "web.transit.state": ("State", "状態"),
    "web.transit.way": ("From and to", "出荷者・荷受人"),
    "web.transit.shipped": ("Shipped", "払出"),
    "web.transit.received": ("Received", "受入"),
    "web.transit.missing": ("Still missing", "未受領"),
    "web.transit.age": ("Age", "経過"),
    "web.transit.due": ("Due", "期限"),
    "web.transit.empty": ("Nothing is on its way.", "輸送中のものはありません。"),
    # --- the command line
    "registry.balance.closed": (
        "Balance {number} of {area} is closed and kept.",
        "{area} の収支 {number} を締め、保存しました。",
    ),
    "registry.balance.drafts": (
        "Statements to sign, with what opens their concealed fields, are in {folder}.",
        "署名する声明と秘匿項目の開示情報は {folder} にあります。",
    ),
    "registry.balance.none": ("No balance of it was ever closed.", "締めた収支はまだありません。"),
    "registry.balance.last": (
        "Last balance: {number}, {start} to {end}: {verdict}",
        "直近の収支: {number}、{start} から {end} まで: {verdict}",
    ),
    "registry.balance.book": (
        "{area}: {held} components in the book at {at}; {verdict}",
        "{area}: 帳簿在庫 {held} 個（{at}）; {verdict}",
    ),
    "registry.balance.sound": (
        "{count} reports, no fault.",
        "報告 {count} 件、誤りなし。",
    ),
    "registry.balance.faults": (
        "{count} reports, {faults} faults:",
        "報告 {count} 件、誤り {faults} 件:",
    ),
    "registry.balance.columns": (
        "entry  date                  code  items  from -> to  batch, description, note",
        "番号   日付                  符号  数量   移動元 -> 移動先  バッチ・品名・備考",
    ),
    "registry.balance.corrects": (
        "corrects report {report}, entry {entry}",
        "報告 {report} の {entry} 行を訂正",
    ),
    "registry.bulk.period": (
        "{start} to {end}: {verdict}",
        "{start} から {end} まで: {verdict}",
    ),
    "registry.bulk.figures": (
        "capacity - declared - idle = {muf} FLOP (+ = undeclared), sigma {sigma}",
        "能力 - 申告 - 遊休 = {muf} FLOP（+ は未申告）、標準偏差 {sigma}",
    ),
    "registry.bulk.cumulated": (
        "cumulated {cumuf} FLOP, sigma {sigma}",
        "累計 {cumuf} FLOP、標準偏差 {sigma}",
    ),
    "registry.bulk.missing": ("not measured: {names}", "未計量: {names}"),
    "registry.bulk.coarse": (
        "three sigma exceed the significant quantity: silence proves nothing",
        "3σ が有意量を超えるため、警報がなくても何も示しません",
    ),
    "registry.bulk.alarm.period-3-sigma": (
        "the period's difference exceeds three sigma",
        "当期の差が 3σ を超過",
    ),
    "registry.bulk.alarm.cumulated-3-sigma": (
        "the cumulated difference exceeds three sigma",
        "累計の差が 3σ を超過",
    ),
    "registry.bulk.alarm.cumulated-significant": (
        "the cumulated difference exceeds one significant quantity",
        "累計の差が有意量を超過",
    ),
    "registry.stock.title": (
        "{country}, {start} to {end}, components",
        "{country}、{start} から {end} まで、単位: 個",
    ),
    "registry.stock.opening": ("opening stock", "期首在庫"),
    "registry.stock.production": ("production", "生産"),
    "registry.stock.imports": ("imports", "輸入"),
    "registry.stock.exports": ("exports", "輸出"),
    "registry.stock.destroyed": ("destroyed", "破壊"),
    "registry.stock.other": ("lost (-), found (+), between areas", "紛失（-）・発見（+）・区域間"),
    "registry.stock.closing": ("closing stock", "期末在庫"),
    "registry.stock.identity": ("closing = opening + flows", "期末 = 期首 + 増減"),
    "registry.stock.continuity": ("opening = last closing", "期首 = 前期末"),
    "registry.stock.row": (
        "{flow}: declared {declared}, found {registered}: {verdict}",
        "{flow}: 申告 {declared}、確認 {registered}: {verdict}",
    ),
    "registry.mirror.row": (
        "{exporter} -> {importer} {model}: exports {exports}, imports {imports}, gap {gap}: {verdict}",
        "{exporter} -> {importer} {model}: 輸出 {exports}、輸入 {imports}、差 {gap}: {verdict}",
    ),
    "registry.transit.none": ("Nothing is open.", "未了のものはありません。"),
    "registry.transit.row": (
        (
            "{reference}  {state}  {shipper} -> {consignee}  shipped {shipped}, received {received}, "
            "difference {difference}, {days} d"
        ),
        "{reference}  {state}  {shipper} -> {consignee}  払出 {shipped}、受入 {received}、差 {difference}、{days} 日",
    ),
    "registry.production.report": (
        "{fab} {product}, {start} to {end}: {verdict}",
        "{fab} {product}、{start} から {end} まで: {verdict}",
    ),
    "registry.production.check": (
        "{name}: stated {stated}, expected {expected} {unit}, residual {residual} (tolerance {tolerance}): {verdict}",
        "{name}: 申告 {stated}、期待 {expected} {unit}、残差 {residual}（許容 {tolerance}）: {verdict}",
    ),
    "registry.production.missing": (
        "{name}: not measured; not reported: {names}",
        "{name}: 未計量。報告なし: {names}",
    ),
    "registry.production.quota": (
        (
            "Quota of {fab} {product}, {start} to {end}: granted {granted}, replaced {replaced}, used {used}, "
            "available {available}, over {over} dies: {verdict}"
        ),
        (
            "{fab} {product} の割当、{start} から {end} まで: 割当 {granted}、補充 {replaced}、使用 {used}、"
            "残 {available}、超過 {over} ダイ: {verdict}"
        ),
    ),
    "registry.production.kept": (
        "Kept as report {number} of {fab}.",
        "{fab} の報告 {number} として保存しました。",
    ),
    "registry.production.check.die-balance": (
        "wafers * dies * yield = good + scrap",
        "ウェハ × ダイ × 歩留まり = 良品 + 廃棄",
    ),
    "registry.production.check.dies-registered": ("dies registered = good", "登録ダイ = 良品"),
    "registry.production.check.gross-dies": ("dies a wafer can hold", "ウェハに載るダイ数"),
    "registry.production.check.euv-bound": (
        "wafers that EUV hours allow",
        "EUV 時間によるウェハ上限",
    ),
    "registry.production.check.hbm-balance": ("HBM used = in packages", "HBM 使用 = 実装数"),
    "registry.production.check.packages-of-dies": (
        "packages from good dies",
        "良品ダイからのパッケージ",
    ),
    "registry.production.check.certificates": (
        "scrap certificates counted once",
        "廃棄証明の重複",
    ),
}
