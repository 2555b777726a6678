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
        "Write, read and change the charter: who may do what.",
        "憲章（誰が何をできるか）を作成・表示・改正します。",
    ),
    "cli.command.drill": (
        "Play the whole loop on a real local workload and narrate it.",
        "実際のローカル処理で全工程を演習し、経過を説明します。",
    ),
    "cli.command.key": (
        "Make keys, list them and prove that they still work.",
        "鍵を作成・一覧し、まだ使えることを確かめます。",
    ),
    "cli.command.licence": (
        "Apply for, issue, amend and revoke licences.",
        "許可の申請・発行・変更・取消しを行います。",
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
        "Draft, sign, issue and follow holds, pauses, caps and resumes.",
        "保留・一時停止・上限・再開の命令を起案・署名・発出・追跡します。",
    ),
    "cli.command.rules": (
        "Decide runs under a dated rule pack, with every reason.",
        "施行日付きの規則集に基づき、理由を付けて計算を判定します。",
    ),
    "cli.command.show": (
        "Say in words what a document means, before anyone signs it.",
        "署名の前に、文書の意味を言葉で示します。",
    ),
    "cli.command.trust": (
        "Choose which regimes you trust: charter, log and witnesses.",
        "信頼する体制（憲章・ログ・立会人）を選びます。",
    ),
    "cli.command.up": (
        "Serve the console, the API and the public log until Ctrl-C.",
        "Ctrl-C まで、管理画面・API・公開ログを提供します。",
    ),
}

_COLUMN: Final[Mapping[Language, int]] = {"en": 0, "ja": 1}


def say(key: str, language: Language, **values: object) -> str:
    """The message of `key` in `language`, with its values put in. Raises KeyError for no such key."""
    return MESSAGES[key][_COLUMN[language]].format(**values)
