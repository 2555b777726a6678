"""Kubernetes: the driver of a run's pods, the gate at admission, the audit behind it, and what a cluster is given."""

from __future__ import annotations

from sekisho.adapters.schedulers.kubernetes.api import Api, connect_api
from sekisho.adapters.schedulers.kubernetes.audit import KubernetesAudit, StrayAct
from sekisho.adapters.schedulers.kubernetes.driver import KubernetesDriver
from sekisho.adapters.schedulers.kubernetes.gate_config import GateConfig

__all__ = ["Api", "GateConfig", "KubernetesAudit", "KubernetesDriver", "StrayAct", "connect_api"]
