"""Messages about releases of the agent: as they are signed, published and taken by a host."""

from __future__ import annotations

from typing import Final

__all__ = ["MESSAGES"]

MESSAGES: Final = {
    "show.kind.agent-released": ("Release of an agent", "エージェントの公開"),
    "show.label.release": ("release", "公開番号"),
    "show.release.number": ("{sequence}, version {version}", "{sequence}（版 {version}）"),
    "show.release.no-number": (
        "version {version}, without a number: no host takes it",
        "版 {version}（番号なし：どのホストも受け入れません）",
    ),
    "show.release.file": ("{bytes} bytes, SHA-256 {sha256}", "{bytes} バイト、SHA-256 {sha256}"),
    "show.release.effect": (
        "hosts that update may run these bytes from now on, and take nothing with a lower number any more",
        "更新するホストはこのファイルを実行できるようになり、より小さい番号は受け入れなくなります",
    ),
    "show.release.first": ("the first release in this log", "このログで最初の公開です"),
    "show.release.before": (
        "follows release {sequence}, version {version}, SHA-256 {sha256}",
        "公開 {sequence}（版 {version}、SHA-256 {sha256}）に続きます",
    ),
    "show.release.same": ("in the log already", "既にログにあります"),
    "show.warn.release-undo": (
        "THIS GOES BACK to the bytes of release {sequence}, version {version}: hosts take them again where their operators say so.",
        "以前の公開 {sequence}（版 {version}）のファイルに戻します。各ホストでは運用者の指示があった場合だけ受け入れます。",
    ),
    "show.warn.release-old": (
        "ITS NUMBER IS NOT ABOVE {sequence}, the newest in the log: the log refuses it.",
        "番号がログの最新 {sequence} より大きくありません。ログは受け付けません。",
    ),
    "release.staged": (
        "{role} version {version}: {signed} of {asked} signatures{files}",
        "{role} 版 {version}：署名 {signed} / {asked}{files}",
    ),
    "release.published": (
        "published; hosts see it from now on: {folder}",
        "公開しました。ホストから見えるようになりました：{folder}",
    ),
    "release.waiting": (
        "not published: signatures are missing; have the next holder run `sekisho agent release cosign`",
        "まだ公開していません。署名が足りません。次の鍵の保持者が `sekisho agent release cosign` を実行してください",
    ),
    "release.exact": (
        "the charter's quorum for publish-agent, as {threshold} keys: no such number of keys lacks a constituency",
        "憲章の publish-agent の定足数を {threshold} 本の鍵で表しました。どの構成団体も欠けることはありません",
    ),
    "release.inexact": (
        "the charter's quorum for publish-agent asks several constituencies; {threshold} of these keys could all be of one. The statement in the log still asks them all",
        "憲章の publish-agent は複数の構成団体を求めますが、これらの鍵 {threshold} 本は一団体だけでも揃います。ログの公開文書では全団体の署名が必要です",
    ),
    "release.line": (
        "{sequence}  {version}  {sha256}  {bytes} bytes{reason}",
        "{sequence}  {version}  {sha256}  {bytes} バイト{reason}",
    ),
    "release.none": ("the log names no release", "ログに公開はありません"),
    "release.host.current": (
        "{host}: enrolled with the newest, {version}",
        "{host}：最新の {version} で登録",
    ),
    "release.host.older": (
        "{host}: enrolled with {version} (release {sequence}); lags",
        "{host}：{version}（公開 {sequence}）で登録。遅れています",
    ),
    "release.host.unknown": (
        "{host}: enrolled with {digest}, which no release in this log names",
        "{host}：{digest} で登録。このログのどの公開とも一致しません",
    ),
    "release.host.note": (
        "What a host runs today is in no statement: this is what it was enrolled with.",
        "今どの公開が動いているかを述べる文書はありません。これは登録時の値です。",
    ),
    "update.judged": ("{verdict} ({code}): {why}", "{verdict}（{code}）：{why}"),
    "update.ask": (
        "Make release {sequence}, version {version}, the current one here?",
        "公開 {sequence}（版 {version}）をここで現行にしますか？",
    ),
    "update.declined": ("nothing was changed", "何も変更していません"),
    "update.done": (
        "release {sequence}, version {version}, is current: {folder}\nthe agent at work still runs the one before; start it anew when it suits: its watchdog keeps the work",
        "公開 {sequence}（版 {version}）を現行にしました：{folder}\n稼働中のエージェントは前の版のままです。都合のよいときに再起動してください。作業はウォッチドッグが保ちます",
    ),
    "update.bar": ("fetching the release", "公開を取得中"),
    "update.pruned": (
        "taken away, older and not in use: {numbers}",
        "古く、使われていない公開を削除しました：{numbers}",
    ),
    "update.alone": (
        "the control plane did not answer: judged by what this host was told before",
        "管制側から応答がありません。これまでに受け取った内容だけで判断しました",
    ),
}
