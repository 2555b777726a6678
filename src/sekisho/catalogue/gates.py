"""What a check of a scheduler's gate found and what helps, in Japanese: found in English, put into words where it is shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["PHRASES"]

PHRASES: Final[Mapping[str, str]] = {
    "is not there": "ありません",
    "as it should be": "整っています",
    "its failurePolicy is not Fail: an error lets pods in": "failurePolicy が Fail ではなく、誤りがあると Pod が入ります",
    "it looks for other devices than these rules": "この規則と違う装置を見ています",
    "it binds another policy": "別のポリシーに結び付いています",
    "it warns and refuses nothing (mode advise)": "警告だけで何も拒みません（advise）",
    "apply the manifests of a higher mode": "より高い段階の文書を適用してください",
    "it is narrowed to some namespaces or objects": "一部の名前空間か対象に絞られています",
    "take `matchResources` away": "`matchResources` を取り除いてください",
    "it does not ask for pods": "Pod について尋ねません",
    "its failurePolicy is not Fail: with the webhook down pods get in": "failurePolicy が Fail ではなく、webhook が止まると Pod が入ります",
    "it asks for other pods than these rules; without a condition it would ask for all": "この規則と違う Pod について尋ねます。条件がなければすべてについて尋ねます",
    "a label on a pod keeps it from being asked for": "ラベルの付いた Pod が尋ねられずに済みます",
    "take `objectSelector` away": "`objectSelector` を取り除いてください",
    "namespaces left out: {}": "除外された名前空間：{}",
    "leave out only what the rules name": "規則が挙げるものだけを除外してください",
    "no agent has shown one yet: every gate is shut": "まだどのエージェントも示していません。すべてのゲートが閉じています",
    "start the agent": "エージェントを起動してください",
    "it cannot be read: {}": "読めません：{}",
    "see who else writes this ConfigMap": "この ConfigMap に他の誰が書いているかを調べてください",
    "it was good until {}: every gate is shut": "{} までのもので、すべてのゲートが閉じています",
    "see whether the agent runs": "エージェントが動いているか確認してください",
    "nodes offer what the rules do not name: {}": "規則にない資源をノードが提供しています：{}",
    "name them with --resource if they are accelerators": "加速器なら --resource で指定してください",
    "{} is ours": "{} は当方のものです",
    "{} is not there, or not ours: install the gate": "{} がないか、当方のものではありません。ゲートを導入してください",
    "{}: install the gate, then restart slurmctld": "{}：ゲートを導入してから slurmctld を再起動してください",
    "{} cannot be read: is the agent running?": "{} が読めません。エージェントは動いていますか",
    "mode {}, good for {} s": "モード {}、あと {} 秒有効",
    "mode {}, too old: is the agent running?": "モード {}、古すぎます。エージェントは動いていますか",
    "KillWait={} s: all jobs end within {} s, but for processes stuck in the kernel, on which Slurm gives up after {} s": "KillWait={} 秒：カーネル内で動かないプロセスを除き、すべてのジョブは {} 秒以内に終わります（Slurm は {} 秒で諦めます）",
    "{}: longer than the licence's grace of {} s": "{}。許可の猶予 {} 秒より長くかかります",
    "no process leaves its job": "プロセスはジョブから抜け出せません",
    "ProctrackType={}: a process can leave its job; use proctrack/cgroup": "ProctrackType={}：プロセスがジョブから抜け出せます。proctrack/cgroup を使ってください",
}
