"""What `up` and `drill` tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["MESSAGES"]

MESSAGES: Final[Mapping[str, tuple[str, str]]] = {
    # --- up and drill
    "up.serving": (
        "Sekisho serves {home} at {address} (Ctrl-C ends it). Every key of a rehearsed regime is in this one hand.",
        "関所が {home} を {address} で公開しています（Ctrl-C で終了）。予行用の体制では、すべての鍵がこの一台にあります。",
    ),
    "up.waiting": (
        "Standby: {home} is served by another process; this one goes on when that one is gone.",
        "待機中: {home} は別のプロセスが運用しています。それが終わるとこちらが引き継ぎます。",
    ),
    "up.trusted": (
        "The regime's trust root was added to {file}.",
        "この体制の信頼の起点を {file} に追加しました。",
    ),
    "drill.found": (
        "Found a regime: charter, log, two witnesses",
        "体制を創設する：憲章、ログ、二つの証人",
    ),
    "drill.enrol": (
        "Enrol hosts, devices and the licensee",
        "ホスト、装置、被許可者を登録する",
    ),
    "drill.decide": (
        "Publish the rules, declare the runs, decide",
        "規則を公布し、学習を申告し、判定する",
    ),
    "drill.license": ("License the runs by quorum", "定足数の署名で学習を許可する"),
    "drill.meter": (
        "Run under leases: reserve, spend, meter",
        "リースの下で走らせる：予約し、使い、計量する",
    ),
    "drill.pause": (
        "Pause by quorum: draft, show, sign, issue, halt",
        "定足数で停止を命じる：起案、確認、署名、発令、停止",
    ),
    "drill.observe": (
        "Corroborate: another constituency's observer looks twice",
        "裏付ける：別の構成体の観測者が二度確かめる",
    ),
    "drill.challenge": (
        "Verify: the emulated device's meter is at rest, and it fills its memory from a fresh nonce",
        "検証する：模擬装置の計器が休止を示し、新しいノンスで全メモリを埋める",
    ),
    "drill.resume": (
        "Resume by its own quorum, once witnessed",
        "専用の定足数と証人の確認を経て再開する",
    ),
    "drill.blackout": (
        "Kill the control plane: the work stops by itself",
        "管理系を落とす：作業は自ら止まる",
    ),
    "drill.return": (
        "Bring the control plane back: nothing is lost",
        "管理系を戻す：何も失われていない",
    ),
    "drill.audit": (
        "Audit a copy of the evidence, offline, trusting nobody",
        "証拠の写しを、誰も信用せず、オフラインで監査する",
    ),
    "drill.holds": (
        "The drill holds: every step did what was announced.\nEvidence bundle: {bundle}\nHome: {home}",
        "予行は成立：すべての段階が予告どおりに進みました。\n証拠一式：{bundle}\nホーム：{home}",
    ),
    "drill.fails": (
        "The drill fails: the last step above says why.\nEvidence bundle: {bundle}\nHome, with its logs: {home}",
        "予行は不成立：理由は上の最後の段階にあります。\n証拠一式：{bundle}\nホーム（ログを含む）：{home}",
    ),
}
