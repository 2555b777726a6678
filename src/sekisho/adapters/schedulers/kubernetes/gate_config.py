"""The gate's picture in a cluster: a ConfigMap that the webhook mounts as a file, and the literals of the policy.

Both must let a pod in, so that it does not matter which of them is written first: the one that shuts is enough.
"""

from __future__ import annotations

from typing import Final

from sekisho.adapters.schedulers.kubernetes.api import Api, Document, Missing
from sekisho.adapters.schedulers.kubernetes.policy import policy_variables, shown_gate
from sekisho.model.errors import InvalidInput, SekishoError, StateConflict, Unavailable
from sekisho.model.instants import Instant
from sekisho.model.wire import canonical, from_json, parse_json
from sekisho.ports.clock import Clock
from sekisho.ports.driver_settings import KubernetesSettings
from sekisho.ports.gate import GatePicture

__all__ = ["PICTURE", "POLICY_PATH", "GateConfig", "load_shown", "parse_picture"]

PICTURE: Final = "picture.json"
POLICY_PATH: Final = (
    "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/sekisho-gate"
)
MAX_PICTURE: Final = 500_000  # a ConfigMap holds 1 MiB, and an object of any kind 1.5
TRIES: Final = 4


class GateConfig:
    """Implements ports.Gate over the ConfigMap and the policy that the manifests have made."""

    def __init__(self, api: Api, settings: KubernetesSettings, clock: Clock) -> None:
        self._api = api
        self._settings = settings
        self._clock = clock
        namespace, _, name = settings.gate.partition("/")
        self.path = f"/api/v1/namespaces/{namespace}/configmaps/{name}"

    def show(self, picture: GatePicture) -> None:
        """Replace what is shown in both places, each whole and under the version read. Raises Unavailable.

        A crash before leaves the old picture, which ages; one between leaves the stricter of two pictures.
        """
        moved = _moved(picture, self._clock.now())
        text = canonical(moved).decode()
        if len(text) > MAX_PICTURE:
            # A picture that is cut off could open a gate; the old one ages instead.
            raise Unavailable(f"the gate's picture is over {MAX_PICTURE} bytes")
        variables = policy_variables(self._settings, shown_gate(moved))
        self._replace(self.path, {"data": {PICTURE: text}})
        self._replace(POLICY_PATH, {"spec": {"variables": variables}})

    def _replace(self, path: str, change: Document) -> None:
        for _ in range(TRIES):
            try:
                _write(self._api, path, change)
            except Missing:
                raise Unavailable(
                    f"the gate cannot be shown: there is no {path}",
                    remedy="apply what `sekisho agent kubernetes manifests` prints",
                ) from None
            except StateConflict:
                continue
            except SekishoError as error:
                raise Unavailable(f"the gate cannot be shown: {error}") from None
            else:
                return
        raise Unavailable(f"the gate cannot be shown: somebody else keeps writing {path}")


def load_shown(api: Api, place: str) -> GatePicture | None:
    """The picture as the cluster shows it; None where none can be read there. Raises what the API client raises."""
    namespace, _, name = place.partition("/")
    try:
        data = api.get(f"/api/v1/namespaces/{namespace}/configmaps/{name}").get("data")
        text = data.get(PICTURE) if isinstance(data, dict) else None
        return parse_picture(text.encode()) if isinstance(text, str) else None
    except (Missing, InvalidInput):
        return None


def parse_picture(raw: bytes) -> GatePicture:
    """The picture from its file. Raises InvalidInput."""
    return from_json(GatePicture, parse_json(raw, path="gate", limit=MAX_PICTURE), path="gate")


def _write(api: Api, path: str, change: Document) -> None:
    meta = api.get(path).get("metadata")
    if not isinstance(meta, dict):
        raise InvalidInput("has no metadata", path=path)
    api.patch(path, change | {"metadata": {"resourceVersion": meta.get("resourceVersion")}})


def _moved(picture: GatePicture, system: Instant) -> GatePicture:
    """The picture with its times moved to the system's clock, which API servers and webhooks read."""
    lasts_s = max(picture.until.since(picture.written), 0.0)
    return GatePicture(
        host=picture.host,
        mode=picture.mode,
        written=system,
        until=system.plus(lasts_s),
        runs=picture.runs,
    )
