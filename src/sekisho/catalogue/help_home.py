"""Help of `sekisho home`, `up`, `drill` and `key`, in Japanese."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["PHRASES"]

PHRASES: Final[Mapping[str, str]] = {
    "Back a home up, check a backup, and restore it.": "ホームのバックアップ、その検査、復元を行います。",
    "Copy a home into a new folder, while it is served or not, and check the copy.": "ホームを新しいフォルダに複製し、検査します。稼働中でも停止中でも行えます。",
    "The backup's folder.": "バックアップのフォルダ。",
    "The home; SEKISHO_HOME if left out.": "ホーム。省くと SEKISHO_HOME。",
    "With the key files, sealed under --passphrase-file.": "鍵のファイルも含めます。--passphrase-file で封じます。",
    "The passphrase of the keys in the backup.": "バックアップに含む鍵のパスフレーズを書いたファイル。",
    "Look at a whole backup: every file, every database, and the log under its witnesses.": "バックアップの全体を検査します。全ファイル、全データベース、立会い済みのログ。",
    "A trust root of your own; else the one in the backup.": "自分の信頼の起点。省くとバックアップの中のもの。",
    "Bring a home back, and refuse what would fork the log: nothing older than what witnesses cosigned.": "ホームを復元します。ログを分岐させるもの、つまり立会人が連署したものより古い状態には戻しません。",
    "Where to: a folder that is not there yet.": "復元先。まだないフォルダを指定します。",
    "A mirror or published copy: its folder or address.": "複製または公開済みの写し。フォルダかアドレス。",
    "A witness's address; name them all.": "立会人のアドレス。全員分を指定します。",
    "Bring over from --newest what the backup lacks.": "バックアップにない分を --newest から補います。",
    "On your word: nothing newer was ever cosigned.": "これより新しい連署はない、とあなたの責任で宣言します。",
    # --- up, drill
    "Serve a home until Ctrl-C; a new home is founded with every key in this one hand, and says so.": "Ctrl-C までホームを稼働させます。新しいホームはすべての鍵が一人の手にある形で設立し、その旨を表示します。",
    "Folder of the regime.": "制度のフォルダ。",
    "File of the addresses of witnesses that somebody else runs; none is started then.": "他者が運用する立会人のアドレスを書いたファイル。指定すると、立会人は起動しません。",
    "For a standby with a home of its own: keep what the log conceals in the database, too.": "別のホームを持つ予備のために、ログが秘匿する内容もデータベースに保管します。",
    "No rehearsed sites: the regime alone.": "予行の拠点を動かさず、制度だけを稼働させます。",
    "End once the first page has answered.": "最初の画面が応答したら終わります。",
    "Wait until the one that serves this home is gone.": "このホームを稼働させているプロセスがなくなるまで、予備として待ちます。",
    "With --standby: end the other one's process when it has not answered for so long.": "--standby とともに。相手がこの秒数応答しなければ、そのプロセスを終了させて引き継ぎます。",
    "File of hosts' addresses, to which orders are sent as well.": "命令をプッシュでも送るホストの、アドレスを書いたファイル。",
    "License, meter, pause, prove, resume, black out, audit: on this machine, with every key in one hand.": "許可、計量、一時停止、証明、再開、全断、監査までを、この機械の上で、すべての鍵を一人で持って予行します。",
    "Folder for the rehearsed regime; new or empty.": "予行する制度のフォルダ。新しいか空のもの。",
    "Serve the drilled home afterwards, as `sekisho up` does.": "予行の後、`sekisho up` のようにそのホームを稼働させます。",
    "With --serve.": "--serve とともに使います。",
    # --- key
    "Make, show, drill and report keys.": "鍵の作成・表示・確認・事故の報告を行います。",
    "Show a report, a drill or a withdrawal, have its phrase typed back, and sign.": "報告・確認・撤回の文書を表示し、合言葉を入力させてから署名します。",
    "Hand in a signed report, drill or withdrawal.": "署名済みの報告・確認・撤回を提出します。",
    "Prove that your key still signs, over the newest witnessed tree that the log quotes.": "自分の鍵でまだ署名できることを、ログが引用する最新の立会い済みの木に対して示します。",
    "Every charter key, its last proof, the doubtful ones.": "憲章のすべての鍵、それぞれの最後の確認、疑わしいもの。",
    "A remark; it is public.": "備考。公開されます。",
    "Draft the report that a key is lost; what would stand in doubt is shown first. Then `key sign`, `key issue`.": "鍵の紛失の報告を起案します。疑義の生じるものを先に示します。続けて `key sign`、`key issue` を使います。",
    "The lost key's id, its beginning, or its .pub.": "失った鍵の ID、その先頭部分、または .pub ファイル。",
    "When it was lost at the earliest, as 2027-04-01T00:00:00Z.": "失った時期のうち最も早い時刻。2027-04-01T00:00:00Z のように。",
    "What happened; it is public.": "何があったか。公開されます。",
    "Draw a key: the private key in F, the public key in F.pub; or on a token, the public key in F.": "鍵を作ります。秘密鍵は F、公開鍵は F.pub に保存します。トークン上なら公開鍵を F に保存します。",
    "Where the private key goes (0600); or its .pub.": "秘密鍵の保存先（0600）。トークンなら .pub。",
    "ed25519, p256 or p384; on a token p256 or p384.": "ed25519、p256、p384 のいずれか。トークンでは p256 か p384。",
    "Draw it on this token, as hsm:TOKEN/ID; F is its .pub.": "hsm:トークン/ID で指定したトークンの上に作ります。F はその .pub です。",
    "Encrypt it; the passphrase is asked for.": "暗号化します。パスフレーズは尋ねます。",
    "A key's id, digest phrase and public bytes; of a private key nothing else.": "鍵の ID、合言葉、公開部分のバイト列を示します。秘密鍵からはそれ以外を示しません。",
    "A public or private key's file, or hsm:TOKEN/ID.": "公開鍵か秘密鍵のファイル、または hsm:トークン/ID。",
    "Also as a log's verifier key of this name.": "この名前のログの検証鍵としても示します。",
    "With --vkey: a witness's key, not a log's.": "--vkey とともに。ログではなく立会人の鍵として示します。",
    "With --vkey: write the verifier key here; never over a file.": "--vkey とともに。検証鍵の保存先。既存のファイルには書きません。",
}
