"""Messages of running a regime: the log as events for security monitoring; backup and restore of a home."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["MESSAGES"]

MESSAGES: Final[Mapping[str, tuple[str, str]]] = {
    "cli.command.home": (
        "Back a home up, check a backup, and restore it.",
        "ホームの控えを取り、検証し、復元します。",
    ),
    # --- the log as events
    "log.export.bar": ("verifying", "検証中"),
    "log.export.done": (
        "{sent} events sent; the next is entry {next}",
        "{sent} 件のイベントを送りました。次は {next} 番の記録です",
    ),
    "log.export.waits": ("not sent yet: {why}", "まだ送れていません：{why}"),
    # --- backup and restore
    "observe.user": (
        "seen as uid {uid}: start this as the user that the observer runs as",
        "uid {uid} で調べました。観察者を動かす利用者で実行してください",
    ),
    "home.backup.bar": ("copying", "複製中"),
    "home.backup.done": (
        "{verdict}: {files} files, {bytes} bytes, log of {size} entries under its witnesses, in {folder}",
        "{verdict}：{files} ファイル、{bytes} バイト、立会人の下の {size} 件のログ（{folder}）",
    ),
    "home.backup.keys_in": (
        "keys are in it, encrypted: keep the passphrase elsewhere",
        "鍵は暗号化して含めました。合言葉は別の場所に保管してください",
    ),
    "home.backup.keys_out": (
        "NO KEYS are in it: without log.pem and operator.pem nothing can be continued (--keys)",
        "鍵は含まれていません。log.pem と operator.pem がなければ続行できません（--keys）",
    ),
    "home.backup.left_out": ("left out: {names}", "含めないもの：{names}"),
    "home.backup.elsewhere": (
        "the log's database is on a server and is not in it; the published files rebuild it",
        "ログのデータベースはサーバーにあり含まれません。公開ファイルから作り直せます",
    ),
    "home.check.done": (
        "{verdict}: the backup of {made}, log of {size} entries, charter {charter}",
        "{verdict}：{made} の控え、{size} 件のログ、憲章 {charter}",
    ),
    "home.restore.done": (
        "restored to {home}: log of {size} entries, {replayed} of them from the published files",
        "{home} に復元：{size} 件のログ、うち {replayed} 件は公開ファイルから",
    ),
    "home.restore.lost": (
        "concealed fields of {count} statements are not in the backup: not measured, never zero",
        "{count} 件の文書の秘匿項目は控えにありません。「未計測」であり 0 ではありません",
    ),
    "home.restore.asked": (
        "compared with {places}: none has a newer checkpoint than size {size}",
        "{places} と照合：サイズ {size} より新しいチェックポイントはありません",
    ),
    "home.restore.unasked": (
        "NOT COMPARED with any mirror or witness, on your word (--as-it-is)",
        "写しや立会人との照合はしていません（--as-it-is の申告による）",
    ),
}
