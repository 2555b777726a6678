"""The gate in a Kubernetes cluster, for whoever installs and looks after it: documents, checks, strays."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import msgspec
import yaml

from sekisho.adapters.clocks import SystemClock
from sekisho.adapters.schedulers.kubernetes.api import Api, connect_api
from sekisho.adapters.schedulers.kubernetes.audit import KubernetesAudit, Stray
from sekisho.adapters.schedulers.kubernetes.checks import ClusterCheck, check_cluster
from sekisho.adapters.schedulers.kubernetes.manifests import ManifestSettings, make_manifests
from sekisho.model.errors import InvalidInput
from sekisho.model.statements import Mode
from sekisho.model.wire import encode_base64
from sekisho.ports.driver_settings import AcceleratorRules, KubernetesSettings

__all__ = [
    "ClusterCheck",
    "ClusterPlace",
    "Stray",
    "check_gate",
    "find_strays",
    "make_rules",
    "write_manifests",
]

MAX_CA = 1 << 20
# [registry[:port]/]path[:tag][@digest], as container runtimes read it.
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_IMAGE: Final = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?/)?"
    rf"{_PART}(?:/{_PART})*(?::[A-Za-z0-9_][A-Za-z0-9_.-]{{0,127}})?(?:@sha256:[0-9a-f]{{64}})?"
)
_MAX_IMAGE: Final = 512


class ClusterPlace(msgspec.Struct, frozen=True, kw_only=True):
    """Where the API server is; empty: the cluster in whose pod we run."""

    server: str = ""
    token_file: str | None = None
    ca_file: str | None = None


def make_rules(resources: tuple[str, ...], exempt: tuple[str, ...]) -> AcceleratorRules:
    """The rules that the product comes with, and what a site adds. Raises InvalidInput naming the flag."""
    base = AcceleratorRules()
    plain = {
        "resources": list(dict.fromkeys((*base.resources, *resources))),
        "exempt": list(dict.fromkeys((*base.exempt, *exempt))),
    }
    try:
        return msgspec.convert(plain, AcceleratorRules)
    except msgspec.ValidationError as error:
        where = "--resource" if "resources" in str(error) else "--exempt"
        raise InvalidInput("is no such name as Kubernetes takes", path=where) from None


def write_manifests(
    image: str, rules: AcceleratorRules, *, mode: Mode, ca_file: Path | None, kueue: bool
) -> str:
    """All documents as one YAML text. Raises InvalidInput for what is no image, or no CA file."""
    if len(image) > _MAX_IMAGE or not _IMAGE.fullmatch(image):
        raise InvalidInput(
            f"{image[:60]!r} is no image reference",
            path="--image",
            remedy="write it as registry.example/sekisho:1.0, with @sha256:... if you pin it",
        )
    settings = ManifestSettings(
        image=image, ca_bundle=_load_ca(ca_file), mode=mode, rules=rules, kueue=kueue
    )
    return yaml.safe_dump_all(
        make_manifests(settings), sort_keys=False, width=4096, explicit_start=True
    )


def check_gate(place: ClusterPlace, rules: AcceleratorRules) -> tuple[ClusterCheck, ...]:
    """What holds in a cluster and what is missing."""
    api = _connect(place)
    try:
        return check_cluster(api, SystemClock().now(), rules)
    finally:
        api.close()


def find_strays(place: ClusterPlace, rules: AcceleratorRules) -> tuple[Stray, ...]:
    """Accelerator pods that the gate, as it is shown now, would not let in. Raises Unavailable, NotAuthorised."""
    api = _connect(place)
    settings = KubernetesSettings(
        run="audit",
        resources=rules.resources,
        device_paths=rules.device_paths,
        device_runtimes=rules.device_runtimes,
        privileged=rules.privileged,
        exempt=rules.exempt,
    )
    try:
        return KubernetesAudit(api, settings, SystemClock()).strays()
    finally:
        api.close()


def _connect(place: ClusterPlace) -> Api:
    return connect_api(place.server, place.token_file, place.ca_file)


def _load_ca(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_CA)
    except OSError as error:
        raise InvalidInput(f"cannot be read: {error.strerror}", path=str(path)) from None
    if b"-----BEGIN CERTIFICATE-----" not in raw:
        raise InvalidInput("holds no certificate", path=str(path), remedy="give a PEM file")
    return encode_base64(raw)
