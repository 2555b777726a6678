"""Which stop and which evidence exist where: `sekisho agent means`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["MESSAGES"]

MESSAGES: Final[Mapping[str, tuple[str, str]]] = {
    "means.head.way": ("rented as", "借り方"),
    "means.head.actor": ("who", "当事者"),
    "means.head.stops": ("can stop by", "停止手段"),
    "means.head.counter": ("counter", "カウンター"),
    "means.head.measured": ("metering tier", "計測階級"),
    "means.head.tried": ("tried here", "検証"),
    "means.head.why": ("because", "理由"),
    "means.none": ("none", "なし"),
    # --- ways
    "means.way.managed-slurm": ("managed Slurm", "マネージド Slurm"),
    "means.way.own-slurm": ("self-run Slurm", "自営 Slurm"),
    "means.way.managed-kubernetes": ("managed Kubernetes", "マネージド Kubernetes"),
    "means.way.own-kubernetes": ("self-run Kubernetes", "自営 Kubernetes"),
    "means.way.passthrough-vm": ("VM with passed-through devices", "デバイス占有型 VM"),
    "means.way.bare-metal": ("bare metal", "ベアメタル"),
    "means.way.confidential-vm": ("confidential VM", "機密 VM"),
    # --- who
    "means.actor.operator": ("operator", "運用者"),
    "means.actor.tenant": ("tenant", "利用者"),
    "means.actor.provider": ("provider", "提供者"),
    # --- stops
    "means.stop.gate": ("gate at submission", "投入時のゲート"),
    "means.stop.suspend": ("suspend (memory stays)", "一時停止（メモリは占有のまま）"),
    "means.stop.requeue": ("end and hold in the queue", "終了してキューに保留"),
    "means.stop.freeze": ("freeze (memory stays)", "凍結（メモリは占有のまま）"),
    "means.stop.end": ("end with a grace", "猶予付き終了"),
    "means.stop.power": ("power or network off", "電源・網の遮断"),
    "means.tried.real": ("yes", "実機"),
    "means.tried.emulated": ("against a stand-in", "模擬のみ"),
    "means.tried.not": ("no", "未検証"),
    # --- reasons
    "means.why.managed-slurm.operator": (
        "the scheduler is the provider's: nobody else administers it",
        "スケジューラは提供者のもので、他に管理者がいません",
    ),
    "means.why.managed-slurm.tenant": (
        "may cancel its own jobs, by its own good will; no plugin, no root, no counter",
        "自分のジョブを自発的に取り消せるだけです。プラグインも root もカウンターもありません",
    ),
    "means.why.managed-slurm.provider": (
        "runs slurmctld and owns the hosts; whether it takes our gate is its decision",
        "slurmctld とホストを持ちます。当方のゲートを入れるかは提供者の判断です",
    ),
    "means.why.own-slurm.operator": (
        "job_submit, prolog and scontrol are its own; suspend frees neither device nor memory; root on a node goes past it",
        "job_submit、prolog、scontrol を持ちます。一時停止はデバイスもメモリも解放せず、ノードの root は迂回できます",
    ),
    "means.why.own-slurm.tenant": (
        "submits jobs and may cancel them; the gate is above it",
        "ジョブを投入し取り消せます。ゲートはその上位にあります",
    ),
    "means.why.own-slurm.provider": (
        "where the hosts are rented: sees machines, not jobs; power off ends work without a checkpoint",
        "ホストが借り物の場合：見えるのは機械だけです。電源断はチェックポイントなしに終了させます",
    ),
    "means.why.managed-kubernetes.operator": (
        (
            "cluster-admin sets policy, webhook and audit; nothing freezes a pod, so each stop ends processes; "
            "no TPM reaches a pod, so C0"
        ),
        (
            "クラスター管理者が方針・Webhook・監査を置きます。Pod は凍結できず、停止はプロセスの終了です。"
            "Pod から TPM は使えず C0 です"
        ),
    ),
    "means.why.managed-kubernetes.tenant": (
        "rights in a namespace: may delete its own pods, by its own good will",
        "名前空間内の権限のみ。自分の Pod を自発的に削除できるだけです",
    ),
    "means.why.managed-kubernetes.provider": (
        "may take nodes and the control plane away; sees what was rented and when, not what ran",
        "ノードと制御系を止められます。見えるのは貸出の時刻と量だけで、動作内容は見えません",
    ),
    "means.why.own-kubernetes.operator": (
        (
            "as managed, and an agent on a host beside the cluster can hold a hardware TPM; "
            "root on a node starts containers past the API"
        ),
        (
            "マネージドと同じ。加えてクラスター外のホスト上のエージェントはハードウェア TPM を使えます。"
            "ノードの root は API を迂回できます"
        ),
    ),
    "means.why.own-kubernetes.tenant": (
        "rights in a namespace: may delete its own pods; the gate is above it",
        "名前空間内の権限のみ。自分の Pod を削除できます。ゲートはその上位にあります",
    ),
    "means.why.own-kubernetes.provider": (
        "where the hosts are rented: sees machines, not pods",
        "ホストが借り物の場合：見えるのは機械だけで、Pod は見えません",
    ),
    "means.why.passthrough-vm.operator": (
        (
            "an agent in the guest; the hypervisor's owner can roll back its disk and its virtual TPM, "
            "so each quantum needs an acknowledgement"
        ),
        (
            "ゲスト内のエージェント。ハイパーバイザーの持ち主はディスクと仮想 TPM を巻き戻せるため、"
            "各計算単位に確認応答が必要です"
        ),
    ),
    "means.why.passthrough-vm.tenant": (
        "root in the guest can end the agent; the watchdog then ends the work, unless root ends that too",
        "ゲストの root はエージェントを止められます。見張りが作業を止めますが、root は見張りも止められます",
    ),
    "means.why.passthrough-vm.provider": (
        "can stop the VM and no single run; pausing a guest is not shown to stop kernels that a device has queued",
        "VM は止められますが、個々の実行は止められません。ゲストの一時停止でデバイス内の処理が止まるとは示されていません",
    ),
    "means.why.bare-metal.operator": (
        "agent and watchdog on the host, with its own TPM; freezing host processes is not shown to stop queued kernels",
        "ホスト上のエージェントと見張り、固有の TPM。ホストのプロセスの凍結でデバイス内の処理が止まるとは示されていません",
    ),
    "means.why.bare-metal.tenant": (
        "as the operator where it has root; a licence then rests on the counter and on what others observe",
        "root を持つ場合は運用者と同じ。許可はカウンターと他者の観測に基づきます",
    ),
    "means.why.bare-metal.provider": (
        "power and network through the management controller: everything on the host at once, without a checkpoint",
        "管理コントローラーによる電源と網の遮断。ホスト全体が一度に、チェックポイントなしに止まります",
    ),
    "means.why.confidential-vm.operator": (
        "as in a VM, and the guest's measured start can be attested, the device's reports too; the counter is still virtual",
        "VM と同じ。加えてゲストの起動計測とデバイスの報告を証明できます。カウンターは仮想のままです",
    ),
    "means.why.confidential-vm.tenant": (
        "holds the guest: nobody else can look in, so that what it says rests on attestation alone",
        "ゲストを占有します。他者は中を見られず、主張の根拠は証明だけです",
    ),
    "means.why.confidential-vm.provider": (
        "can stop the VM; cannot look into it, which is what it is for",
        "VM は止められますが、中は見られません。それがこの方式の目的です",
    ),
}
