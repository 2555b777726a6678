"""Messages about access to models: what a refused user is told, and what people who lock weights are told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["MESSAGES", "PHRASES"]

MESSAGES: Final[Mapping[str, tuple[str, str]]] = {
    # --- what a refused user is told (problem+json)
    "access.title.access-suspended": ("Access is suspended by order", "命令による利用停止"),
    "access.title.licence-not-in-force": (
        "The licence of this model is not in force",
        "このモデルの許可は効力がありません",
    ),
    "access.title.picture-stale": ("It cannot be told what is allowed", "可否を確認できません"),
    "access.title.order-outstanding": (
        "It cannot be told what is allowed",
        "可否を確認できません",
    ),
    "access.title.model-not-served": ("No such model here", "該当するモデルはありません"),
    "access.title.key-withdrawn": (
        "The key of this model's weights was withdrawn",
        "このモデルの重みの鍵は取り消されました",
    ),
    "access.detail.access-suspended": (
        "Order {order} ends access to {model} for your class of users. Legal basis: {basis}. Appeal: {appeal}.",
        "命令 {order} により、お客様の区分には {model} を提供できません。根拠：{basis}。不服申立て：{appeal}。",
    ),
    "access.detail.licence-not-in-force": (
        "{model} is served under a licence that is not in force. Ask the provider.",
        "{model} の提供に必要な許可に効力がありません。提供者にお問い合わせください。",
    ),
    "access.detail.picture-stale": (
        "The provider's copy of the orders in force has run out. Try again later.",
        "有効な命令の写しが期限切れです。後でもう一度お試しください。",
    ),
    "access.detail.order-outstanding": (
        "An order was issued whose content has not arrived. Try again later.",
        "命令が発出されましたが内容が未着です。後でもう一度お試しください。",
    ),
    "access.detail.model-not-served": (
        "This service declares no such model.",
        "このサービスにそのモデルの届出はありません。",
    ),
    "access.detail.key-withdrawn": (
        "{model} cannot be served: the key of its weights was withdrawn or could not be renewed.",
        "重みの鍵が取り消されたか更新できないため、{model} を提供できません。",
    ),
    # --- documents in words
    "show.kind.weights-locked": ("Weights locked", "重みの施錠"),
    "show.kind.weights-key-released": (
        "Key of locked weights released",
        "施錠された重みの鍵の交付",
    ),
    "show.kind.access-decided": ("Access roll-up", "アクセス集計"),
    "show.label.model": ("model", "モデル"),
    "show.label.under_licence": ("licence", "許可"),
    "show.label.weights": ("weights", "重み"),
    "show.label.locked": ("locked file", "施錠後のファイル"),
    "show.weights.model": (
        "{party} locks the weights of {model}",
        "{party} が {model} の重みを施錠",
    ),
    "show.weights.file": ("SHA-256 {digest}, {bytes} bytes", "SHA-256 {digest}、{bytes} バイト"),
    "show.weights.given": (
        "the key of {model} is given to host {host}",
        "{model} の鍵をホスト {host} に交付",
    ),
    "show.access.model": ("{model}, served by host {host}", "{model}、提供ホスト {host}"),
    "show.access.state.open": (
        "open: {served} served, {refused} refused",
        "制限なし：提供 {served} 件、拒否 {refused} 件",
    ),
    "show.access.state.restricted": (
        "restricted: {served} served, {refused} refused",
        "一部制限：提供 {served} 件、拒否 {refused} 件",
    ),
    "show.access.state.closed": (
        "closed: {served} served, {refused} refused",
        "停止：提供 {served} 件、拒否 {refused} 件",
    ),
    "show.warn.roll-up-unmeasured": (
        "Not measured: no worker of the server told of this period. It is not zero.",
        "未計測：この期間を申告したワーカーがありません。ゼロではありません。",
    ),
    "show.warn.roll-up-silent": (
        "At least so many: {silent} of {workers} workers fell silent, each lost up to 2 s of its counts.",
        "下限値：ワーカー {workers} 件中 {silent} 件が沈黙し、それぞれ最大 2 秒分の計数が欠落しています。",
    ),
    "show.warn.weights-leaked": (
        "Locking protects these encrypted copies only: plaintext copies made before or leaked since stay readable.",
        "施錠が守るのは暗号化された写しだけです。以前の平文の写しや漏えいした平文は読めるままです。",
    ),
    "show.warn.weights-licence": (
        "Licence {licence} is not in the log.",
        "許可 {licence} はログにありません。",
    ),
    # --- the commands
    "access.locked": (
        "Locked: {file}. Statement to sign: {draft}. Key for the keeper: {deposit}.",
        "施錠しました：{file}。署名する文書：{draft}。保管者への鍵：{deposit}。",
    ),
    "access.leak-warning": (
        "The plaintext {file} still exists. Delete it and every other copy yourself; what leaked stays leaked.",
        "平文の {file} は残っています。すべての写しをご自身で削除してください。漏えいした分は取り戻せません。",
    ),
    "access.deposited": (
        "The keeper holds the key of locked weights {leaf}.",
        "保管者が施錠された重み {leaf} の鍵を預かりました。",
    ),
    "access.unlocked": (
        "Decrypted to {file}. It is plaintext now: no revocation reaches it. Use -- COMMAND to have it removed.",
        "{file} に復号しました。平文のため、取消しは及びません。自動で削除するには -- COMMAND を使ってください。",
    ),
    "access.served-until": (
        "The command ended, and the plaintext was removed: {why}.",
        "コマンドが終了し、平文を削除しました：{why}。",
    ),
    "access.destroyed": (
        "The key of {leaf} is destroyed. Hosts keep theirs to the next lease; backups and plaintext are not reached.",
        "{leaf} の鍵をここで破棄しました。ホストの鍵は次の更新まで残り、バックアップと平文には及びません。",
    ),
    "access.not-kept": (
        "The keeper holds no key of {leaf}.",
        "{leaf} の鍵は保管されていません。",
    ),
}
PHRASES: Final[Mapping[str, str]] = {}
