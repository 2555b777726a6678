"""What the commands of `sekisho agent` say: on duty, at a gate, at a limit, before a TPM."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["MESSAGES"]

MESSAGES: Final[Mapping[str, tuple[str, str]]] = {
    # --- `sekisho agent run`, `watchdog`
    "means.charters": (
        "Here {count} charters have a say: {names}. Each by its own orders, licences and silence; the strictest counts.",
        "ここでは {count} つの憲章が効力を持つ：{names}。それぞれが自らの命令・免許・沈黙によって働き、最も厳しいものが優先する。",
    ),
    "agent.charters": (
        "the host stands under {count} charters, the strictest of all counts: {names}",
        "このホストは {count} つの憲章の下にあり、最も厳しいものが優先する：{names}",
    ),
    "agent.runs": (
        "The agent of {home} is on duty; Ctrl-C ends it, the work goes on to the end of its permit. What it does: the console's page of this host, or {home}/receipts.jsonl.",
        "{home} のエージェントが働いています。Ctrl-C で抜けても、処理は許可の期限まで続きます。動作の記録は管理画面のホストのページか {home}/receipts.jsonl にあります。",
    ),
    "agent.watchdog.alone": (
        'Holding {home} until Ctrl-C, which ends the work. Nothing runs without a permit: now start the agent of the same folder\'s owner in another terminal (sekisho agent run --home AGENT, with "watchdog": {{"socket": "{socket}"}} in its agent.json). Journal: {home}/watchdog.log.',
        'Ctrl-C まで {home} を預かります（Ctrl-C で処理も終わります）。許可がなければ何も動きません。別の端末で同じ利用者のエージェントを起動してください（sekisho agent run --home フォルダ。agent.json に "watchdog": {{"socket": "{socket}"}}）。記録は {home}/watchdog.log。',
    ),
    "agent.watchdog.apart": (
        'Holding {home} until Ctrl-C, which ends the work. Nothing runs without a permit: now start the agent as {user} (sekisho agent run --home AGENT, with "watchdog": {{"socket": "{socket}"}} in its agent.json). Journal: {home}/watchdog.log.',
        'Ctrl-C まで {home} を預かります（Ctrl-C で処理も終わります）。許可がなければ何も動きません。利用者 {user} でエージェントを起動してください（sekisho agent run --home フォルダ。agent.json に "watchdog": {{"socket": "{socket}"}}）。記録は {home}/watchdog.log。',
    ),
    # --- a host's TPM is enrolled
    "tpm.paper": (
        "{out}: the TPM of {host}, with {count} certificate(s)\nits counter lies at {index}; only {file} steps it: keep that file",
        "{out}：{host} の TPM、証明書 {count} 通\nカウンターの場所は {index}。進められるのは {file} だけなので、保管してください",
    ),
    "tpm.answered": (
        "{out}: the challenge is open; give this back to the enroller",
        "{out}：課題が開きました。登録担当者に返してください",
    ),
    "tpm.challenge": (
        "{out}: the challenge for {host}; {keep} stays with you until its answer is here",
        "{out}：{host} への課題。答えが届くまで {keep} を手元に保管してください",
    ),
    # --- gates of schedulers
    "gate.looking": ("looking", "確認しています"),
    "gate.listing": ("listing pods", "Pod の一覧を取得しています"),
    "gate.no-strays": (
        "holds: no accelerator pod runs without a licence",
        "成立：許可なしで動いている加速器の Pod はありません",
    ),
    "gate.file.written": ("{file}: written", "{file}：作成"),
    "gate.file.changed": ("{file}: changed", "{file}：変更"),
    "gate.file.removed": ("{file}: removed", "{file}：削除"),
    "gate.dry": ("nothing was changed: a dry run", "試しの実行です。何も変更していません"),
    "gate.restart": ("now restart slurmctld", "次に slurmctld を再起動してください"),
    "gate.unchanged": (
        "nothing to do: every file is so already",
        "変更はありません。すべてのファイルがすでにそのとおりです",
    ),
    # --- `sekisho agent shape`
    "shape.limited": ("{interface}: limited", "{interface}：制限しています"),
    "shape.would-limit": (
        "{interface}: would be limited by (nothing was done)",
        "{interface}：次のように制限します（まだ何もしていません）",
    ),
    "shape.not-limited": ("{interface}: NOT limited so", "{interface}：この制限はかかっていません"),
    "shape.removed": (
        "{interface}: the limit is off, what stood there before is back",
        "{interface}：制限を外し、元の設定に戻しました",
    ),
    "shape.nothing-to-remove": (
        "{interface}: there was no limit of ours",
        "{interface}：当方の制限はありませんでした",
    ),
}
