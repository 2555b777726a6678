"""Messages about hosts and their TPMs as they are enrolled."""

from __future__ import annotations

from typing import Final

__all__ = ["MESSAGES"]

MESSAGES: Final = {
    "show.kind.host-enrolled": ("Enrolment of a host", "ホストの登録"),
    "show.label.host": ("host", "ホスト"),
    "show.label.place": ("stands at", "所在"),
    "show.label.devices": ("devices", "装置"),
    "show.label.counter": ("counter", "計数器"),
    "show.label.driver": ("driver", "駆動方式"),
    "show.label.tpm": ("TPM", "TPM"),
    "show.label.maker": ("made by", "TPMの製造者"),
    "show.enrolled.place": (
        "{site}, {jurisdiction}, of {organisation}",
        "{organisation} の {site}（{jurisdiction}）",
    ),
    "show.enrolled.devices": ("{count}: {chips}", "{count} 台：{chips}"),
    "show.enrolled.counter.C0": (
        "C0, a file: whoever owns the disk can set it back; each quantum needs the issuer's acknowledgement",
        "C0（ファイル）：ディスクの所有者が巻き戻せます。各区間に発行者の受領確認が必要です",
    ),
    "show.enrolled.counter.C1": (
        "C1, a TPM that no maker answers for: whoever owns its state can set it back; each quantum needs an acknowledgement",
        "C1（製造者の保証がない TPM）：ハイパーバイザーの所有者が巻き戻せます。各区間に発行者の受領確認が必要です",
    ),
    "show.enrolled.counter.C2": (
        "C2, a TPM whose maker answers for it: goes on within its leases while the issuer is away",
        "C2（製造者が保証する TPM）：発行者と切れている間も、リースの範囲で続行します",
    ),
    "show.enrolled.tpm": (
        "counter {index}, attestation key {name}, {certificates} certificate(s)",
        "計数器 {index}、証明鍵 {name}、証明書 {certificates} 通",
    ),
    "show.enrolled.maker": (
        "{maker}, model {model}, version {version}; the chain ends in root {root} of the charter",
        "{maker}、型 {model}、版 {version}。証明書は憲章の根 {root} に至ります",
    ),
    "show.warn.not-endorsed": (
        "THE TIER IS NOT PROVED: {why}.",
        "計数器の等級は証明されていません：{why}。",
    ),
}
