"""The API client: pages, watches, refusals, bounds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sekisho.adapters.schedulers.kubernetes import api as api_module
from sekisho.adapters.schedulers.kubernetes.api import Api, Expired, Missing, connect_api
from sekisho.adapters.schedulers.kubernetes.audit import PodBook
from sekisho.model.errors import InvalidInput, NotAuthorised, StateConflict, Unavailable
from tests.clusters import Cluster, cluster, pod_document

PODS = "/api/v1/namespaces/team/pods"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Cluster]:
    with cluster(tmp_path) as one:
        yield one


def fill(world: Cluster, count: int) -> None:
    """As many pods, put into the store at once."""
    from tests.clusters import PODS as KIND

    for number in range(count):
        pod = pod_document(f"p{number}")
        pod["metadata"] |= {"uid": f"u{number}", "resourceVersion": "1"}
        world.objects[KIND, "team", f"p{number}"] = pod


def test_a_thousand_pods_come_page_by_page_and_a_watch_goes_on_after_them(world: Cluster) -> None:
    """Four pages of 250, each pod once; what changes afterwards comes by the watch."""
    fill(world, 1000)
    book = PodBook(world.api())
    book.list_all()
    assert len(book.documents) == 1000
    pages = [path for method, path in world.asked if path == "/api/v1/pods"]
    assert len(pages) == 4
    world.add(PODS, pod_document("late"))
    world.nodes["n1"] = "unreachable"
    world.api().delete(f"{PODS}/late", grace_s=5)
    assert book.follow(1) == 1
    assert len(book.documents) == 1001


def test_a_list_that_expires_between_pages_is_taken_anew(world: Cluster) -> None:
    """Twice; a cluster that outruns us for ever is said to do so."""
    fill(world, 300)
    world.expires = 2
    assert len(world.api().list_all("/api/v1/pods").items) == 300
    world.expires = 3
    with pytest.raises(Unavailable, match="changes faster"):
        world.api().list_all("/api/v1/pods")


def test_a_watch_from_a_forgotten_place_is_told_so_and_the_book_lists_anew(world: Cluster) -> None:
    """410 inside the stream is an error of its own kind."""
    fill(world, 3)
    book = PodBook(world.api())
    book.list_all()
    world.horizon = 10_000
    with pytest.raises(Expired):
        list(world.api().watch("/api/v1/pods", "1", within_s=1))
    fill(world, 5)
    book.follow(1)
    assert len(book.documents) == 5


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, NotAuthorised),
        (403, NotAuthorised),
        (404, Missing),
        (409, StateConflict),
        (410, Expired),
        (422, InvalidInput),
        (429, Unavailable),
        (500, Unavailable),
        (503, Unavailable),
    ],
)
def test_each_refusal_has_its_kind(world: Cluster, status: int, kind: type[Exception]) -> None:
    """And names what was asked."""
    world.status = status
    with pytest.raises(kind, match=f"GET /api/v1/pods: {status}"):
        world.api().get("/api/v1/pods")


def test_nobody_at_the_address_is_unavailable() -> None:
    """A refused connection is told as such, with the path that was asked."""
    api = Api("http://127.0.0.1:9", timeout_s=0.5)
    with pytest.raises(Unavailable, match="does not answer on /api/v1/pods"):
        api.get("/api/v1/pods")
    api.close()


def test_an_answer_beyond_the_bound_is_not_read(
    world: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that never ends cannot fill our memory."""
    fill(world, 20)
    monkeypatch.setattr(api_module, "MAX_ANSWER", 2_000)
    with pytest.raises(InvalidInput, match="longer than 2000 bytes"):
        world.api().list_all("/api/v1/pods")


def test_the_token_is_read_anew_for_each_call(world: Cluster, tmp_path: Path) -> None:
    """The kubelet renews it under us; one that is gone is said to be."""
    token = tmp_path / "token"
    api = Api(world.url_text, token_file=token)
    with pytest.raises(Unavailable, match="token cannot be read"):
        api.get("/version")
    token.write_text("one\n")
    api.get("/version")
    token.write_text("two\n")
    api.get("/version")
    sent = [request.headers.get("Authorization") for request in world]
    assert sent[-2:] == ["Bearer one", "Bearer two"]
    api.close()


def test_a_token_never_goes_over_plain_http(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is a server guessed outside a cluster, nor a CA file taken that is none."""
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(InvalidInput, match="never goes over plain http"):
        connect_api("http://10.0.0.1", str(tmp_path / "token"))
    with pytest.raises(InvalidInput, match="this is no pod"):
        connect_api()
    bad = tmp_path / "ca"
    bad.write_text("no certificate")
    with pytest.raises(InvalidInput, match="is no CA file"):
        connect_api("https://10.0.0.1", None, str(bad))


def test_in_a_pod_the_service_account_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Address from the environment, IPv6 in brackets; the CA file must be there."""
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "fd00::1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "6443")
    with pytest.raises(InvalidInput, match=r"serviceaccount/ca\.crt"):
        connect_api()


def test_a_delete_names_the_pod_it_means(world: Cluster) -> None:
    """Another pod of the same name by now is left alone."""
    world.add(PODS, pod_document())
    with pytest.raises(StateConflict):
        world.api().delete(f"{PODS}/p", uid="another", grace_s=1)
    assert world.found(f"{PODS}/p") is not None
