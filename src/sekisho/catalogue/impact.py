"""What a company is asked about the rules, and what it is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["MESSAGES"]

_QUESTIONS: Final[Mapping[str, tuple[str, str]]] = {
    "impact.section.company": ("Your company", "会社について"),
    "impact.section.use": ("AI and compute", "AIと計算資源"),
    "impact.section.export": ("What leaves the country", "輸出・提供"),
    "impact.section.cloud": ("Compute for others", "計算資源の提供"),
    "impact.section.hosting": ("Models for others", "モデルの提供"),
    "impact.section.ownership": ("Who owns you", "資本関係"),
    "impact.section.effort": ("What it would cost", "費用の前提"),
    "impact.ask.name": ("Name of the company", "会社名"),
    "impact.why.name": (
        "Stands on the statement; leave it out to stay without a name.",
        "診断書に記載します。空欄でも構いません。",
    ),
    "impact.ask.country": ("In which country is its head office?", "本社はどの国にありますか"),
    "impact.why.country": (
        "Law reaches a company where it sits; exports are judged from there.",
        "所在国の法令が適用され、輸出もその国を起点に判定します。",
    ),
    "impact.ask.corporate_number": ("Corporate number (13 digits)", "法人番号（13桁）"),
    "impact.why.corporate_number": (
        "Names the company on a self-declaration without doubt.",
        "自己申告書で会社を特定するためのものです。",
    ),
    "impact.ask.size": ("How large is the company?", "会社の規模"),
    "impact.why.size": (
        "For finding the right institution; no rule here asks for it.",
        "相談先を選ぶためのものです。判定には使いません。",
    ),
    "impact.option.size.small": ("up to 50 people", "50人以下"),
    "impact.option.size.medium": ("51 to 300 people", "51〜300人"),
    "impact.option.size.large": ("more than 300 people", "301人以上"),
    "impact.ask.revenue": (
        "Yearly revenue with affiliates, in US dollars",
        "年間売上高（関連会社を含む、米ドル換算）",
    ),
    "impact.why.revenue": (
        "Some laws ask more of developers above 500 million dollars.",
        "売上高5億ドルを超える開発者に追加の義務を課す法律があります。",
    ),
    "impact.option.revenue.under-10m": ("under 10 million", "1千万ドル未満（約15億円未満）"),
    "impact.option.revenue.10m-100m": ("10 to 100 million", "1千万〜1億ドル"),
    "impact.option.revenue.100m-500m": ("100 to 500 million", "1億〜5億ドル"),
    "impact.option.revenue.over-500m": ("over 500 million", "5億ドル超"),
    "impact.ask.use": ("What do you do with AI?", "AIをどのように使っていますか"),
    "impact.why.use": (
        "The rules on training ask only those who train or fine-tune.",
        "学習に関する規則は、学習や微調整を行う者だけが対象です。",
    ),
    "impact.option.use.none": ("nothing", "使っていない"),
    "impact.option.use.services": (
        "we use services that others run (chat, API)",
        "他社のサービスを利用（チャット、APIなど）",
    ),
    "impact.option.use.run": (
        "we run finished models on chips that we own or rent",
        "完成済みモデルを自社・借用のチップで動かす",
    ),
    "impact.option.use.fine-tune": (
        "we fine-tune models that exist",
        "既存モデルの微調整（追加学習）をする",
    ),
    "impact.option.use.train": ("we train models from nothing", "モデルを一から学習する"),
    "impact.ask.compute": ("Whose chips are they?", "計算チップは誰のものですか"),
    "impact.why.compute": (
        "Renting is a contract that some rules look at.",
        "借用契約そのものが規則の対象になることがあります。",
    ),
    "impact.option.compute.own": ("our own", "自社所有"),
    "impact.option.compute.cloud": ("a cloud's, rented", "クラウドからの借用"),
    "impact.ask.cloud": ("Which cloud?", "どのクラウドですか"),
    "impact.why.cloud": (
        "Its compliance desk is one of your contacts.",
        "そのクラウドの窓口が相談先になります。",
    ),
    "impact.ask.chips_in": (
        "In which country do the chips stand?",
        "チップはどの国に置かれていますか",
    ),
    "impact.why.chips_in": ("Law reaches where the chips stand.", "設置国の法令が適用されます。"),
    "impact.ask.chip": ("Which chip?", "チップの型名"),
    "impact.why.chip": (
        "Its peak performance decides how much could be computed.",
        "ピーク性能から計算量の上限を求めます。",
    ),
    "impact.ask.chip_peak": (
        "Peak of one such chip in its fastest dense format, in TFLOP/s",
        "そのチップ1個のピーク性能（最速の密行列形式、TFLOP/s）",
    ),
    "impact.why.chip_peak": (
        "The chip is in no table of ours; its data sheet tells.",
        "この型名は収録表にありません。データシートの値を入れてください。",
    ),
    "impact.ask.chip_designed_in": (
        "In which country was the chip designed?",
        "そのチップの設計元はどの国ですか",
    ),
    "impact.why.chip_designed_in": (
        "US guidance treats some chips designed in China apart.",
        "中国設計の一部のチップは米国の指針で別扱いとなります。",
    ),
    "impact.ask.chip_count": ("How many chips?", "チップの数"),
    "impact.why.chip_count": ("Compute grows with the count.", "計算量は数に比例します。"),
    "impact.ask.networked": (
        "Do they stand together, or does a network of more than 25 Gbit/s join them?",
        "同じ場所にある、または25 Gbit/sを超えるネットワークで結ばれていますか",
    ),
    "impact.why.networked": (
        "Only joined chips count as one cluster.",
        "結ばれたチップだけが一つのクラスターと数えられます。",
    ),
    "impact.ask.hours": (
        "For how many hours do they train your largest model, retries included (30 days: 720)?",
        "最大のモデルの学習に何時間使いますか（やり直しを含む。30日なら720）",
    ),
    "impact.why.hours": (
        "Thresholds count one model's whole training.",
        "基準は一つのモデルの学習全体で数えます。",
    ),
    "impact.ask.utilisation": (
        "Utilisation in per cent (usual: 30 to 50)",
        "計算効率（％。通常は30〜50）",
    ),
    "impact.why.utilisation": (
        "For the estimate alone: the bound counts 100 per cent.",
        "推計だけに使います。上限は100％で計算します。",
    ),
    "impact.ask.base_other": (
        "Is the model that you start from another's?",
        "出発点のモデルは他社のものですか",
    ),
    "impact.why.base_other": (
        "Who changes another's model is not always its provider.",
        "他社モデルの改変者は、必ずしも提供者とはなりません。",
    ),
    "impact.ask.base_flop": (
        "How many FLOP did the model that you start from cost (3.8e25, say)?",
        "出発点のモデルの学習計算量（FLOP。例：3.8e25）",
    ),
    "impact.why.base_flop": (
        "Several laws count the whole lineage; makers of models publish it.",
        "系譜全体を数える法律があります。多くの開発元が公表しています。",
    ),
    "impact.ask.generates": (
        "Does the model generate language, or images or video from text?",
        "モデルは言語を生成する、または文章から画像・動画を生成しますか",
    ),
    "impact.why.generates": (
        "The EU's criterion of a general-purpose model asks for it.",
        "EUの汎用目的AIモデルの基準に使われます。",
    ),
    "impact.ask.purpose": ("What is the compute for?", "計算資源の用途"),
    "impact.why.purpose": (
        "Rules on end use ask for it.",
        "用途に関する規則の判定に使います。",
    ),
    "impact.ask.markets": (
        "Where will the model be offered or used (countries; also EU, US-CA, US-NY)?",
        "モデルを提供・利用する国・地域（EU、US-CA、US-NYも可）",
    ),
    "impact.why.markets": (
        "Most AI laws reach a model where it is offered.",
        "多くのAI法は提供地で適用されます。",
    ),
    "impact.ask.exports": (
        "Do you send AI chips, servers with them, or model weights abroad, also through others?",
        "AIチップ、それを積むサーバー、モデルの重みを国外に送りますか（他社経由を含む）",
    ),
    "impact.why.exports": (
        "Export control asks for every single item.",
        "輸出管理は一件ごとに判定します。",
    ),
    "impact.ask.export_items": ("What do you send?", "何を送りますか"),
    "impact.why.export_items": (
        "Chips, servers and weights fall under different entries.",
        "品目により適用条項が異なります。",
    ),
    "impact.option.export_items.chips": ("chips", "チップ"),
    "impact.option.export_items.servers": (
        "servers or boards with chips",
        "チップを積むサーバー・基板",
    ),
    "impact.option.export_items.weights": ("model weights", "モデルの重み"),
    "impact.ask.export_to": ("To which countries?", "送り先の国（仕向地）"),
    "impact.why.export_to": ("Each destination is judged by itself.", "仕向地ごとに判定します。"),
    "impact.ask.export_chip": ("Which chip is it, or is inside?", "品目または内蔵するチップの型名"),
    "impact.why.export_chip": (
        "Its performance decides the entry.",
        "性能により該当する条項が決まります。",
    ),
    "impact.ask.chips_each": ("How many chips in one server?", "サーバー1台のチップ数"),
    "impact.why.chips_each": ("For sums of performance.", "性能の合計に使います。"),
    "impact.ask.export_count": ("How many items in one shipment?", "1回の出荷数"),
    "impact.why.export_count": ("For quotas and limits.", "数量枠の判定に使います。"),
    "impact.ask.list_controlled": (
        "Does the classification say that the item is on your country's control list?",
        "該非判定の結果、リスト規制に該当しますか",
    ),
    "impact.why.list_controlled": (
        "The maker gives a classification certificate on request.",
        "該非判定書はメーカーに依頼できます。",
    ),
    "impact.ask.weights_flop": (
        "How many FLOP did those weights cost?",
        "その重みの学習計算量（FLOP）",
    ),
    "impact.why.weights_flop": (
        "Weights are judged by their training.",
        "重みは学習計算量で判定します。",
    ),
    "impact.ask.weights_published": ("Are those weights published?", "その重みは公開済みですか"),
    "impact.why.weights_published": (
        "Published weights are mostly free.",
        "公開済みの重みは多くの場合規制外です。",
    ),
    "impact.ask.end_user_known": (
        "Do you know who the recipient and the end user are?",
        "受取人と需要者（エンドユーザー）を把握していますか",
    ),
    "impact.why.end_user_known": (
        "An end user that nobody knows leaves the answer open.",
        "需要者が不明なままでは判断不能です。",
    ),
    "impact.ask.end_user_headquarters": (
        "Where are the headquarters of recipient, end user and their ultimate parents?",
        "受取人・需要者とその最終親会社の本社がある国",
    ),
    "impact.why.end_user_headquarters": (
        "Some rules follow headquarters, wherever the goods go.",
        "仕向地ではなく本社所在国で適用される規則があります。",
    ),
    "impact.ask.end_user_listed": (
        "Does one of them stand on a list of restricted parties?",
        "そのいずれかが取引規制リストに載っていますか",
    ),
    "impact.why.end_user_listed": (
        "Lists: the US Entity List, METI's foreign end users.",
        "米国エンティティ・リスト、外国ユーザーリストなど。",
    ),
    "impact.ask.end_user_listed_share": (
        "How many per cent of them do listed parties own (0 where none)?",
        "リスト掲載者による出資比率（％。なければ0）",
    ),
    "impact.why.end_user_listed_share": (
        "From 50 per cent a company may count as listed itself.",
        "50％以上で掲載者と同じ扱いになることがあります。",
    ),
    "impact.ask.arms_end_user": (
        "Has the end user to do with conventional arms, or is it on METI's list?",
        "需要者は通常兵器に関わる、または外国ユーザーリストに掲載されていますか",
    ),
    "impact.why.arms_end_user": (
        "Japan's catch-all control asks for it.",
        "日本の補完的輸出規制（キャッチオール）の需要者要件です。",
    ),
    "impact.ask.red_flags_resolved": (
        "Did you look for every red flag of diversion, and resolve and document each one found?",
        "転用の危険信号をすべて点検し、見つかったものを解消・記録しましたか",
    ),
    "impact.why.red_flags_resolved": (
        "US guidance of May 2025: unknown addresses, first bulk orders, unclear end use and more.",
        "2025年5月の米国指針：届け先不明、初回の大量注文、用途不明など。",
    ),
    "impact.ask.end_use": ("What will it be used for there?", "先方での用途"),
    "impact.why.end_use": ("Rules on end use ask for it.", "用途に関する規則の判定に使います。"),
    "impact.ask.offers_cloud": (
        "Do you let others use your chips?",
        "自社のチップを他社に使わせていますか",
    ),
    "impact.why.offers_cloud": (
        "Providers have duties of their own.",
        "提供者には固有の義務があります。",
    ),
    "impact.ask.cloud_in": ("In which country do those chips stand?", "提供するチップの所在国"),
    "impact.why.cloud_in": ("Law reaches where the chips stand.", "設置国の法令が適用されます。"),
    "impact.ask.customers_headquarters": (
        "Where are your customers and their ultimate parents headquartered?",
        "顧客とその最終親会社の本社がある国",
    ),
    "impact.why.customers_headquarters": (
        "Remote use can count like an export.",
        "遠隔利用が輸出と同様に扱われることがあります。",
    ),
    "impact.ask.customers_listed": (
        "Does a customer stand on a list of restricted parties?",
        "取引規制リストに載る顧客がいますか",
    ),
    "impact.why.customers_listed": (
        "Screening is the provider's duty.",
        "顧客の確認は提供者の義務です。",
    ),
    "impact.ask.customers_listed_share": (
        "How many per cent of a customer do listed parties own, at most (0 where none)?",
        "取引規制リスト掲載者による顧客への出資比率の最大（％。なければ0）",
    ),
    "impact.why.customers_listed_share": (
        "From 50 per cent a company may count as listed itself.",
        "50％以上で掲載者と同じ扱いになることがあります。",
    ),
    "impact.ask.offers_prc_chips": (
        "Are some of those chips designed in China?",
        "提供するチップに中国設計のものがありますか",
    ),
    "impact.why.offers_prc_chips": (
        "US guidance treats some of them apart.",
        "一部は米国の指針で別扱いとなります。",
    ),
    "impact.ask.customers_flop": (
        "Largest training of one customer, in FLOP (0 where none trains)",
        "顧客1社による最大の学習計算量（FLOP。学習がなければ0）",
    ),
    "impact.why.customers_flop": (
        "Large trainings may have to be reported.",
        "大規模な学習は報告対象になり得ます。",
    ),
    "impact.ask.customers_use": ("What do customers use it for?", "顧客の用途"),
    "impact.why.customers_use": (
        "Rules on end use ask for it.",
        "用途に関する規則の判定に使います。",
    ),
    "impact.ask.hosts_models": (
        "Do you offer AI models for others to use?",
        "AIモデルを他者の利用に供していますか",
    ),
    "impact.why.hosts_models": (
        "Access to hosted models can be restricted by class of user.",
        "ホスト型モデルは利用者区分ごとに制限されることがあります。",
    ),
    "impact.ask.hosted_flop": (
        "FLOP of the largest such model",
        "最大のモデルの学習計算量（FLOP）",
    ),
    "impact.why.hosted_flop": (
        "Orders may name models by size.",
        "規模で指定されることがあります。",
    ),
    "impact.ask.users_in": ("Where are the users?", "利用者の所在国"),
    "impact.why.users_in": ("Restrictions may go by place.", "場所による制限があり得ます。"),
    "impact.ask.user_class": ("Who are they?", "利用者の区分"),
    "impact.why.user_class": (
        "Restrictions go by class of user.",
        "利用者区分ごとに制限されます。",
    ),
    "impact.ask.gives_weights": ("Do you give them the weights?", "重みそのものを渡しますか"),
    "impact.why.gives_weights": (
        "Giving weights is more than access.",
        "重みの提供は利用とは別に扱われます。",
    ),
    "impact.ask.parent_in": (
        "Where is your ultimate parent's headquarters (your own where there is none)?",
        "最終親会社の本社がある国（なければ自社の国）",
    ),
    "impact.why.parent_in": (
        "Some rules follow the owner.",
        "所有者の所在国で適用される規則があります。",
    ),
    "impact.ask.own_listed": (
        "Does your company stand on a list of restricted parties?",
        "自社は取引規制リストに載っていますか",
    ),
    "impact.why.own_listed": (
        "Listed parties are refused by many.",
        "掲載者との取引は制限されます。",
    ),
    "impact.ask.listed_owner_share": (
        "How many per cent of you do listed parties own (0 where none)?",
        "取引規制リスト掲載者による自社への出資比率（％。なければ0）",
    ),
    "impact.why.listed_owner_share": (
        "From 50 per cent you may count as listed yourself.",
        "50％以上で自社が掲載者と同じ扱いになることがあります。",
    ),
    "impact.ask.wage": ("What does an hour of work cost you?", "1時間あたりの人件費"),
    "impact.why.wage": (
        "Yen in Japan (usual: 5,000), dollars elsewhere (60).",
        "日本は円（目安5,000）、その他は米ドル（60）。",
    ),
    "impact.ask.daily_margin": ("What does a day of delay cost you?", "1日の遅れによる損失額"),
    "impact.why.daily_margin": (
        "Without it delays are told in days only.",
        "未回答の場合、遅れは日数だけを示します。",
    ),
    "impact.ask.fees": ("Fees in a year", "1年間の手数料"),
    "impact.why.fees": ("Agents, translations, tests.", "代行、翻訳、試験などの費用です。"),
    "impact.ask.runs_a_year": ("How many such trainings in a year?", "1年間の学習の実行回数"),
    "impact.why.runs_a_year": (
        "Some duties come with every run.",
        "学習の実行ごとに生じる義務があります。",
    ),
    "impact.ask.shipments_a_year": ("How many shipments in a year?", "1年間の出荷回数"),
    "impact.why.shipments_a_year": (
        "Most export duties come with every shipment.",
        "輸出の義務は出荷ごとに生じます。",
    ),
    "impact.ask.customers": ("How many customers?", "顧客数"),
    "impact.why.customers": (
        "Some duties come with every customer.",
        "顧客ごとに生じる義務があります。",
    ),
    "impact.unit.TFLOP/s": ("TFLOP/s", "TFLOP/s"),
    "impact.unit.chips": ("chips", "個"),
    "impact.unit.hours": ("hours", "時間"),
    "impact.unit.%": ("%", "％"),
    "impact.unit.FLOP": ("FLOP", "FLOP"),
    "impact.unit.items": ("items", "個"),
    "impact.unit.money/hour": ("an hour", "／時間"),
    "impact.unit.money/day": ("a day", "／日"),
    "impact.unit.money/year": ("a year", "／年"),
    "impact.unit.runs": ("times", "回"),
    "impact.unit.shipments": ("times", "回"),
    "impact.unit.customers": ("customers", "社"),
}
_USES: Final[Mapping[str, tuple[str, str]]] = {
    "commercial": ("commercial", "商用"),
    "training": ("training models", "モデルの学習"),
    "inference": ("running models", "モデルの推論"),
    "research": ("research", "研究"),
    "military": ("military", "軍事"),
    "military-intelligence": ("military intelligence", "軍事情報"),
    "wmd": ("weapons of mass destruction", "大量破壊兵器"),
    "technical-analysis": ("technical analysis of the item", "品目の技術分析"),
}
_CLASSES: Final[Mapping[str, tuple[str, str]]] = {
    "own-staff": ("own staff", "自社の従業員"),
    "government": ("governments", "政府"),
    "safety-institute": ("AI safety institutes", "AI安全性機関"),
    "critical-infrastructure": ("critical infrastructure", "重要インフラ"),
    "research": ("research", "研究機関"),
    "enterprise": ("companies", "企業"),
    "public": ("the public", "一般"),
}
_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    **{
        f"impact.option.{question}.{value}": words
        for question in ("purpose", "end_use", "customers_use")
        for value, words in _USES.items()
    },
    **{f"impact.option.user_class.{value}": words for value, words in _CLASSES.items()},
}
_LETTER: Final[Mapping[str, tuple[str, str]]] = {
    "impact.title": ("Impact of the rules on your company", "影響診断書"),
    "impact.subtitle": (
        "AI compute rules as of {at}. This is not legal advice.",
        "AI計算資源に関する規則、{at} 時点。法的助言ではありません。",
    ),
    "impact.authoritative": (
        "The Japanese and the English form say the same; where they differ, the signed statement counts.",
        "日本語版と英語版は同じ内容です。相違がある場合は署名付きの診断結果（ステートメント）が優先します。",
    ),
    "impact.no-statement": (
        "Not signed: this letter has no signed statement beside it.",
        "未署名：この診断書には署名付きの診断結果が付いていません。",
    ),
    "impact.party": ("Company: {name}", "会社：{name}"),
    "impact.party.number": ("Corporate number: {number}", "法人番号：{number}"),
    "impact.party.none": ("(no name given)", "（名称の記載なし）"),
    "impact.verdict.not-affected": ("Not affected", "影響なし（対象外）"),
    "impact.verdict.affected": ("Affected", "影響あり（対象）"),
    "impact.verdict.unsure": ("Cannot tell yet", "現時点では判断不能"),
    "impact.verdict.not-affected.means": (
        "By what you answered, no rule of law in these packs asks anything of you on this date.",
        "ご回答によれば、この日付で収録規則のうち貴社に義務を課すものはありません。",
    ),
    "impact.verdict.affected.means": (
        "At least one rule of law asks something of you: {count} listed below.",
        "少なくとも一つの規則が貴社に義務を課します（下記 {count} 件）。",
    ),
    "impact.verdict.unsure.means": (
        "One or more rules may touch you: what is still to be found out is listed below. Unknown is not no.",
        "該当する可能性のある規則があります。確認が必要な事項を下に示します。「不明」は「該当しない」ではありません。",
    ),
    "impact.figures": (
        (
            "Training compute: at most {bound} FLOP (every chip at its fastest the whole time); "
            "estimate {best} FLOP{spread} at {share} utilisation{stated}."
        ),
        (
            "学習計算量：上限 {bound} FLOP（全チップが最速形式で常時稼働とした値）、推計 {best} FLOP"
            "{spread}、計算効率 {share}{stated}。"
        ),
    ),
    "impact.figures.spread": (" ({low} to {high})", "（{low}〜{high}）"),
    "impact.figures.stated": (" as stated", "（申告値）"),
    "impact.figures.assumed": (" assumed (O)", "（仮定値、O）"),
    "impact.heading.scope": ("1. Scope: which rules touch you", "1. 範囲：どの規則が関係するか"),
    "impact.heading.cost": ("2. Cost in a year", "2. 費用（1年間）"),
    "impact.heading.contacts": ("3. Whom to work with", "3. 相談先"),
    "impact.heading.find-out": ("What to find out next", "次に確認すること"),
    "impact.heading.assumptions": ("What this rests on", "前提"),
    "impact.heading.packs": ("Rule packs", "規則パック"),
    "impact.heading.proof": ("Statement", "診断結果の証明"),
    "impact.heading.would": ("No law yet: what would be", "未施行の案：施行された場合"),
    "impact.head.rule": ("Rule", "規則"),
    "impact.head.answer": ("Answer", "判定"),
    "impact.head.why": ("Why", "理由"),
    "impact.head.duty": ("Duty", "義務"),
    "impact.head.hours": ("Hours each", "1回の時間"),
    "impact.head.times": ("Times a year", "年間回数"),
    "impact.head.money": ("Cost a year", "年間費用"),
    "impact.head.contact": ("Institution", "機関"),
    "impact.head.help": ("Helps with", "内容"),
    "impact.head.where": ("Where", "連絡先"),
    "impact.head.mark": ("Mark", "印"),
    "impact.head.pack": ("Pack", "パック"),
    "impact.head.digest": ("SHA-256", "SHA-256"),
    "impact.touches.yes": ("touches you", "対象"),
    "impact.touches.no": ("does not", "対象外"),
    "impact.touches.unsure": ("cannot tell", "判断不能"),
    "impact.touches.not-in-force": ("not in force", "施行なし"),
    "impact.touches.would": ("would", "案"),
    "impact.role.training-run": ("training", "学習の実行"),
    "impact.role.cluster": ("chips", "チップ群"),
    "impact.role.transfer": ("exports", "輸出"),
    "impact.role.cloud-use": ("renting compute", "計算資源の借用"),
    "impact.role.provider": ("compute for others", "計算資源の提供"),
    "impact.role.access": ("models for others", "モデルの提供"),
    "impact.outcome.report": ("asks for a report or record", "報告・記録の義務"),
    "impact.outcome.licence": ("asks for a licence", "要許可"),
    "impact.outcome.deny": ("forbids it", "禁止"),
    "impact.outcome.permit": ("permits it", "許容"),
    "impact.outcome.unsure": ("only a person can tell", "判断不能"),
    "impact.says.figure": (
        "{quantity}: yours {figure}{unit}, threshold {threshold}{unit}, ratio {share}",
        "{quantity}：貴社 {figure}{unit}、基準 {threshold}{unit}、基準比 {share}",
    ),
    "impact.says.figure.bound": (
        (
            "{quantity}: yours {figure}{unit} (at most {bound}), threshold {threshold}{unit}, "
            "ratio {share} (at most {bound_share})"
        ),
        "{quantity}：貴社 {figure}{unit}（上限 {bound}）、基準 {threshold}{unit}、基準比 {share}（上限 {bound_share}）",
    ),
    "impact.says.range": (
        "{quantity}: yours {figure}{unit}, threshold {threshold}{unit}, ratio at most {bound_share}",
        "{quantity}：貴社 {figure}{unit}、基準 {threshold}{unit}、基準比 最大 {bound_share}",
    ),
    "impact.says.amount": (
        "{quantity}: yours {figure}{unit}, threshold {threshold}{unit}",
        "{quantity}：貴社 {figure}{unit}、基準 {threshold}{unit}",
    ),
    "impact.says.condition": (
        "{quantity}: yours {figure}; the rule asks for {threshold}",
        "{quantity}：貴社 {figure}、規則の条件 {threshold}",
    ),
    "impact.says.elsewhere": (
        "this law does not reach what you described",
        "ご回答の範囲にはこの法令が及びません",
    ),
    "impact.says.below": ("below the threshold", "基準未満です"),
    "impact.says.not-met": ("its condition is not met", "規則の条件に当たりません"),
    "impact.says.not-enforced": (
        "codified, and nobody enforces it on that date",
        "条文にあるものの、この日付では執行されていません",
    ),
    "impact.quantity.training_flop": ("training FLOP of the lineage", "系譜全体の学習計算量"),
    "impact.quantity.run_flop": ("FLOP of the run", "この学習の実行の計算量"),
    "impact.quantity.post_training_flop": ("FLOP of post-training", "追加学習の計算量"),
    "impact.quantity.modification_share": ("share of the modification", "改変の割合"),
    "impact.quantity.cluster_fp16": ("16-bit rate of the cluster", "クラスターの16ビット性能"),
    "impact.quantity.cluster_peak": ("peak of the cluster", "クラスターのピーク性能"),
    "impact.quantity.cluster_tpp": ("TPP of the cluster", "クラスターのTPP"),
    "impact.quantity.tpp": ("TPP of one chip", "チップ1個のTPP"),
    "impact.quantity.performance_density": ("performance density", "性能密度"),
    "impact.quantity.memory_bandwidth": ("memory bandwidth of one chip", "チップ1個のメモリ帯域"),
    "impact.quantity.shipment_tpp": ("TPP of the shipment", "出荷のTPP合計"),
    "impact.quantity.weights_flop": ("training FLOP of the weights", "重みの学習計算量"),
    "impact.quantity.annual-revenue": ("yearly revenue", "年間売上高"),
    "impact.quantity.jurisdictions": ("places", "国・地域"),
    "impact.quantity.destination": ("destination", "仕向地"),
    "impact.quantity.end_use": ("end use", "用途"),
    "impact.quantity.list-controlled": ("on the control list", "リスト規制該当"),
    "impact.quantity.listed_party": ("a party on a list", "リスト掲載者の関与"),
    "impact.quantity.headquarters": ("headquarters", "本社所在国"),
    "impact.says.exception": (
        "licence exception {names} applies",
        "許可例外 {names} が適用されます",
    ),
    "impact.says.not-in-force": (
        "no rule of this pack is in force on that date",
        "この日付で有効な規則がありません",
    ),
    "impact.says.missing": ("not known: {facts}", "不明：{facts}"),
    "impact.says.only-at-bound": (
        "at full use it would touch you, at your estimate it would not: measure, or keep a record of use",
        "常時全力稼働なら対象、推計では対象外です。実測するか使用記録を残してください",
    ),
    "impact.says.source": ("source: {source} [{mark}]", "出典：{source} [{mark}]"),
    "impact.says.duty": ("duty: {duty}", "義務：{duty}"),
    "impact.nothing-asked": (
        "You do nothing that the rules in these packs speak of.",
        "収録規則が扱う活動はありません。",
    ),
    "impact.cost.total": (
        "Together {low} to {high}, best guess {best} a year.",
        "合計は年間 {low}〜{high}、中位の見積り {best}。",
    ),
    "impact.cost.none": (
        "No duty, so no cost of compliance.",
        "義務がないため、遵守費用は生じません。",
    ),
    "impact.cost.maybe": ("(only if it touches you)", "（該当する場合のみ）"),
    "impact.cost.delay": (
        "Delay: up to {days} days at a time; at your margin it is in the figures.",
        "遅れ：1回あたり最大 {days} 日。ご回答の損失額で算入済みです。",
    ),
    "impact.cost.delay.open": (
        "Delay: up to {days} days at a time, NOT in these figures, since no daily margin was given.",
        "遅れ：1回あたり最大 {days} 日。1日の損失額が未回答のため、上の金額に含みません。",
    ),
    "impact.cost.method": (
        "Standard Cost Model: hours x wage x times a year + fees + days of delay x daily margin.",
        "標準費用モデル：時間×人件費×年間回数＋手数料＋遅れ日数×1日の損失額。",
    ),
    "impact.topic.licence": ("licences, consultation before export", "輸出許可、事前相談"),
    "impact.topic.classification": ("classification, training", "該非判定、研修"),
    "impact.topic.trade": ("trade and law abroad", "海外の制度・取引"),
    "impact.topic.ai-law": ("notifications, guidance on AI law", "AI法の届出・指針"),
    "impact.topic.regional": ("first contact in your region", "地域の最初の相談窓口"),
    "impact.topic.member": ("advice for small and medium companies", "中小企業の相談"),
    "impact.topic.cloud": (
        "what the cloud asks of you, self-declaration",
        "クラウドの確認事項、自己申告書",
    ),
    "impact.assume.bound": (
        "The bound counts every chip in its fastest dense format, without a pause; the estimate counts 16-bit operations.",
        "上限は全チップが最速の密行列形式で休みなく稼働した値、推計は16ビット演算の値です。",
    ),
    "impact.assume.utilisation": (
        "Utilisation was not given: 40 % is assumed, 30 to 50 %.",
        "計算効率は未回答のため40％（30〜50％）と仮定しました。",
    ),
    "impact.assume.inference": (
        "Running finished models counts no training FLOP.",
        "完成済みモデルの推論は学習計算量に数えません。",
    ),
    "impact.assume.revenue": (
        "Revenue is taken at the top of its band.",
        "売上高は区分の上限としました。",
    ),
    "impact.assume.end-user": (
        "Recipient and end user are taken together; every headquarters named counts for every shipment.",
        "受取人と需要者をまとめて扱い、挙げられた本社所在国はすべての出荷に適用しました。",
    ),
    "impact.assume.no-exception": (
        "No licence exception is claimed; where one lifts a rule, it is told.",
        "許可例外は申請しない前提です。適用されるものがあれば示します。",
    ),
    "impact.assume.headquarters": (
        "The head office is where the company is registered.",
        "本社所在国を登記国としました。",
    ),
    "impact.assume.wage": (
        "Wage not given: {wage} an hour.",
        "人件費は未回答のため1時間 {wage} としました。",
    ),
    "impact.assume.fees": (
        "Fees not given: none counted (authorities charge none for export licences; to be verified).",
        "手数料は未回答のため算入していません（輸出許可の申請手数料は無料とされますが要確認）。",
    ),
    "impact.assume.margin": (
        "No daily margin given: delays are told in days.",
        "1日の損失額は未回答のため、遅れは日数で示します。",
    ),
    "impact.assume.hours": (
        "Hours are the packs' assumptions (O), halved and doubled for the range; times not given are assumed.",
        "時間は規則パックの仮定値（O）で、幅は半分から2倍です。未回答の回数は仮定値です。",
    ),
    "impact.warn.coverage": (
        "Law is known to the packs only until the dates below; what came later is not in this answer.",
        "規則パックが知る法令は下記の日付までです。その後の改正は反映していません。",
    ),
    "impact.marks": (
        "Marks: P text of the law read, S secondary source, R recalled and to be verified, D derived, O our assumption.",
        "印：P 法令原文を確認、S 二次資料、R 記憶によるため要確認、D 計算値、O 仮定。",
    ),
    "impact.find.measured": (
        "measure what the runs really compute, or keep a record of the chips' use",
        "実際の計算量を測定する、またはチップの使用記録を残す",
    ),
    "impact.proof.statement": ("Statement: sha256 {digest}", "ステートメント：sha256 {digest}"),
    "impact.proof.key": ("Signed by key {id}", "署名鍵：{id}"),
    "impact.proof.valid": ("Good until {until}.", "有効期限：{until}"),
    "impact.proof.verify": (
        "Check it offline: sekisho rules impact verify STATEMENT --answers ANSWERS --key KEY",
        "確認方法（オフライン）：sekisho rules impact verify ステートメント --answers 回答 --key 鍵",
    ),
    "impact.page": ("Page {page} of {pages}", "{page} / {pages} ページ"),
    "impact.footer": ("Not legal advice.", "法的助言ではありません。"),
}
_DECLARATION: Final[Mapping[str, tuple[str, str]]] = {
    "impact.declaration.title": (
        "Self-declaration on AI compute",
        "AI計算資源の利用に関する自己申告書",
    ),
    "impact.declaration.for": (
        "For cloud and compute providers: one page, the same for each of them.",
        "クラウド・計算資源事業者向け。各社共通の1枚です。",
    ),
    "impact.declaration.we": (
        "We declare, by our answers of {at}:",
        "{at} の回答に基づき、次のとおり申告します。",
    ),
    "impact.declaration.answer": ("Our answer", "回答"),
    "impact.declaration.question": ("Question", "質問"),
    "impact.declaration.result": ("Result of the check: {verdict}", "診断結果：{verdict}"),
    "impact.declaration.change": (
        "We will tell the provider before any of this changes.",
        "内容が変わるときは事前に通知します。",
    ),
    "impact.answer.unknown": ("not known", "分からない"),
    "impact.answer.none": ("not answered", "未回答"),
    "impact.answer.yes": ("yes", "はい"),
    "impact.answer.no": ("no", "いいえ"),
}
_COMMAND: Final[Mapping[str, tuple[str, str]]] = {
    "impact.cli.start": (
        (
            "Figures may be written as 30 days, 3.8e25, 1.2億; ? is: I do not know; < goes back; "
            "empty leaves an optional question out; q saves and stops."
        ),
        "数値は 30日、3.8e25、1.2億 のように書けます。? は「分からない」、< で一つ戻る、任意の質問は空欄可、q で保存して終了。",
    ),
    "impact.cli.progress": ("[{answered}/{open}] {section}", "[{answered}/{open}] {section}"),
    "impact.cli.options": ("  {number} {words}", "  {number} {words}"),
    "impact.cli.optional": ("optional", "任意"),
    "impact.cli.several": ("numbers with commas between", "番号をカンマ区切りで"),
    "impact.cli.yes-no": ("yes/no", "はい/いいえ"),
    "impact.cli.wrong": ("Not understood: {why}", "読み取れません：{why}"),
    "impact.cli.saved": ("Answers saved in {file}", "回答を {file} に保存しました"),
    "impact.cli.written": ("Written: {file}", "書き出しました：{file}"),
    "impact.cli.required": (
        "An answer is needed; ? where you do not know.",
        "回答が必要です。不明なら ? を入力してください。",
    ),
    "impact.cli.check": ("{name}: {verdict} ({why})", "{name}：{verdict}（{why}）"),
    "impact.check.signature": ("signature", "署名"),
    "impact.check.signer": ("signer", "署名者"),
    "impact.check.packs": ("packs", "規則パック"),
    "impact.check.answers": ("answers", "回答"),
    "impact.check.decision": ("decision", "判定"),
    "impact.check.validity": ("validity", "有効期間"),
    "impact.checked.signature.holds": (
        "made by the key that the statement names",
        "記載の鍵による署名です",
    ),
    "impact.checked.signature.fails": (
        "no signature is by the key that the statement names",
        "記載の鍵による署名がありません",
    ),
    "impact.checked.signer.holds": ("the key that you gave", "指定された鍵です"),
    "impact.checked.signer.fails": (
        "another key than the one that you gave",
        "指定された鍵と異なります",
    ),
    "impact.checked.signer.unverifiable": (
        "whose key it is, you have to know from elsewhere: give --key",
        "鍵の持ち主はこの文書だけでは分かりません。--key で指定してください",
    ),
    "impact.checked.packs.holds": (
        "every pack at hand, by its digest",
        "すべてのパックの要約値が一致しました",
    ),
    "impact.checked.packs.unverifiable": ("not at hand: {names}", "手元にないパック：{names}"),
    "impact.checked.packs.left-out": (
        "packs of law that speak were left out: {names}",
        "関係する法令パックが含まれていません：{names}",
    ),
    "impact.checked.answers.holds": (
        "the very answers that were signed for",
        "署名時の回答と一致しました",
    ),
    "impact.checked.answers.fails": (
        "not the answers that were signed for",
        "署名時の回答と異なります",
    ),
    "impact.checked.answers.unverifiable": (
        "the answers stay with the company: give --answers",
        "回答は会社が保管しています。--answers で指定してください",
    ),
    "impact.checked.decision.holds": (
        "decided again with the same result",
        "再判定の結果が一致しました",
    ),
    "impact.checked.decision.fails": (
        "decided again with another result: {verdict}",
        "再判定の結果が異なります：{verdict}",
    ),
    "impact.checked.decision.otherwise": (
        "the answers and packs make another paper: {fields}",
        "回答とパックから作られる書面と異なります：{fields}",
    ),
    "impact.checked.decision.unverifiable": (
        "cannot be decided again without answers and packs",
        "回答とパックがそろわないと再判定できません",
    ),
    "impact.checked.decision.method": (
        "made by another method: {method}",
        "別の方式で作成されています：{method}",
    ),
    "impact.checked.validity.holds": ("good until {until}", "{until} まで有効"),
    "impact.checked.validity.fails": (
        "names {until}, more than half a year on: no honest paper does",
        "期限 {until} は半年を超えており、正規の書面ではありません",
    ),
    "impact.checked.validity.unverifiable": (
        "lapsed on {until}: ask for a new one",
        "{until} に期限切れ。新しい診断が必要です",
    ),
    "impact.checked.validity.future": (
        "speaks of {at}, which is to come",
        "将来の日付 {at} のものです",
    ),
    "impact.known-until": (
        "Law is known to its packs until {day}; what came later is not in it.",
        "規則パックが収録する法令は {day} までです。その後の改正は含みません。",
    ),
    "impact.checked.validity.none": ("names no end", "期限の記載はありません"),
}

MESSAGES: Final[Mapping[str, tuple[str, str]]] = {
    **_QUESTIONS,
    **_WORDS,
    **_LETTER,
    **_DECLARATION,
    **_COMMAND,
}
