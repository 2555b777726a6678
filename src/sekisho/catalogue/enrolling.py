"""Messages about hosts and their TPMs as they are enrolled, and about runs as they are declared."""

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
    "show.label.device": ("device", "装置の明細"),
    "show.label.agent": ("agent SHA-256", "エージェントの SHA-256"),
    "show.label.canary": ("canary run", "カナリア"),
    "show.enrolled.device": (
        "{chip}, {short}/s ({flop}) {basis}, memory {memory} bytes, key {spki}",
        "{chip}、毎秒 {short}（{flop}）{basis}、メモリ {memory} バイト、鍵 {spki}",
    ),
    "show.enrolled.basis.table": ("by the chip table", "チップ表による"),
    "show.enrolled.basis.declared": ("as declared", "申告による"),
    "show.enrolled.emulated": (", EMULATED", "、模擬装置"),
    "show.enrolled.tpm_keys": (
        "attestation key SHA-256 {attestation}, name {name}; counter's name {counter}",
        "証明鍵の SHA-256 {attestation}、名前 {name}。計数器の名前 {counter}",
    ),
    "show.enrolled.tpm_certificate": (
        "certificate, SHA-256 of its base64 {digest}",
        "証明書（base64 の SHA-256）{digest}",
    ),
    "show.enrolled.new": ("{host} is not enrolled so far", "{host} は未登録です"),
    "show.enrolled.again": (
        "{host} is enrolled already: this takes the place of its enrolment",
        "{host} は登録済みです。この文書がその登録に代わります",
    ),
    "show.enrolled.same": (
        "nothing but the date: every field is as it stands",
        "日付以外は変わりません",
    ),
    "show.enrolled.logged": ("nothing: it is in the log already", "なし：すでにログにあります"),
    "show.warn.host-key": (
        "ANOTHER KEY would speak for this host ({item}): {before} becomes {after}.",
        "このホストの鍵（{item}）が変わります：{before} → {after}。",
    ),
    "show.warn.host-device": (
        "DEVICE {item} WOULD CHANGE: {before} becomes {after}.",
        "装置 {item} が変わります：{before} → {after}。",
    ),
    "show.warn.host-device-new": (
        "DEVICE {item} WOULD BE ADDED: {after} (before: {before}).",
        "装置 {item} が加わります：{after}（以前：{before}）。",
    ),
    "show.warn.host-device-gone": (
        "DEVICE {item} WOULD BE GONE: {before} (after: {after}).",
        "装置 {item} がなくなります：{before}（以後：{after}）。",
    ),
    "show.warn.host-field": (
        "{item} WOULD CHANGE: {before} becomes {after}.",
        "{item} が変わります：{before} → {after}。",
    ),
    "show.kind.run-declared": ("Declaration of a run", "計算の申告"),
    "show.label.purpose": ("purpose", "目的"),
    "show.label.jurisdiction": ("jurisdictions", "法域"),
    "show.label.chip": ("chips", "チップの種類と数"),
    "show.declared.place": ("at {site}", "{site} で実施"),
    "show.declared.model": (
        "by the model: {short} ({flop})",
        "モデルによる見積り：{short}（{flop}）",
    ),
    "show.declared.hardware": (
        "by the hardware: {short} ({flop})",
        "機器による見積り：{short}（{flop}）",
    ),
    "show.declared.post_training": (
        "trains a finished model further",
        "完成したモデルの追加学習",
    ),
    "show.declared.also_scratch": (
        "says FROM SCRATCH and names parents: {names}",
        "新規の学習としながら親を示しています：{names}",
    ),
    "show.warn.run-known": (
        "RUN {run} IS DECLARED ALREADY: another declaration of its name is refused.",
        "計算 {run} は申告済みです。同じ名の申告は拒まれます。",
    ),
    "show.warn.run-party": (
        "PARTY {party} IS NOT ENROLLED: nobody's key can declare for it.",
        "当事者 {party} は未登録です。どの鍵でも申告できません。",
    ),
    "show.warn.run-host": (
        "HOST {host} IS NOT ENROLLED: the rules cannot count its devices.",
        "ホスト {host} は未登録です。その装置を規則で数えられません。",
    ),
}
