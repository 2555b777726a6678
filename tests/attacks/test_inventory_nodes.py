"""Dummies, clones and relabelled devices: what three books together find that a label audit did not."""

from __future__ import annotations

from sekisho.registry.reading import Reconciliation, reconcile
from tests.inventoried import NOW, at_site, device, gpu_uuid, item, serial, sighting, standing

EIGHT = range(1, 9)


def failing(found: Reconciliation) -> dict[str, set[str]]:
    told: dict[str, set[str]] = {}
    for difference in found.differences:
        if difference.verdict == "fails":
            told.setdefault(difference.code, set()).add(difference.item)
    return told


def test_dummy_servers_with_moved_labels_are_found() -> None:
    """The real eight were sold; their labels sit on older boards in the same chassis, which reports them faithfully."""
    found = reconcile(
        at_site(
            declared=[item(n, container="SRV-1", device_uuid=gpu_uuid(n)) for n in EIGHT],
            standings=[standing(n) for n in EIGHT],
            observed=[
                device(n, uuid=gpu_uuid(n + 500), model="NVIDIA A100-SXM4-80GB") for n in EIGHT
            ],
            sightings=[sighting(n, last=NOW.plus(-2 * 86_400)) for n in EIGHT],
        )
    )
    labels = {serial(n) for n in EIGHT}
    assert failing(found) == {"other-uuid": labels, "model-mismatch": labels}
    assert found.holds == 0


def test_dummy_servers_without_devices_are_never_present() -> None:
    """Empty boxes with the right labels report nothing: unverifiable, not one of them holds."""
    labels = [standing(n, component="server", serial=f"SRV-{n}", model="DGX H100") for n in EIGHT]
    found = reconcile(
        at_site(declared=[item(n, serial=f"SRV-{n}", model="") for n in EIGHT], standings=labels)
    )
    assert (found.verdict, found.holds, found.unverifiable) == ("unverifiable", 0, 8)


def test_one_gpu_reported_by_two_nodes_is_found() -> None:
    """A node that has sold its boards repeats what another one reports."""
    found = reconcile(
        at_site(
            standings=[standing(n) for n in (1, 2)],
            observed=[device(1), device(2), device(1, node="node-2", chassis="SRV-2")],
        )
    )
    assert failing(found) == {"clone": {serial(1)}}


def test_one_gpu_reported_at_two_sites_is_found_at_both() -> None:
    """The clone counts for whichever site is compared."""
    twins = [device(1), device(1, node="node-2", site="tokyo-1")]
    found = reconcile(at_site(standings=[standing(1)], observed=twins))
    assert failing(found)["clone"] == {serial(1)}


def test_a_clone_with_a_uuid_of_its_own_is_found() -> None:
    """One serial, two devices, two nodes at once."""
    found = reconcile(
        at_site(
            standings=[standing(1)],
            observed=[device(1), device(1, node="node-2", uuid=gpu_uuid(77))],
            sightings=[sighting(1)],
        )
    )
    assert set(failing(found)) >= {"clone"}


def test_a_relabelled_device_is_found_under_both_serials() -> None:
    """A registered board's label on another; the board itself under a label that nobody registered."""
    found = reconcile(
        at_site(
            declared=[item(1, device_uuid=gpu_uuid(1), container="SRV-1")],
            standings=[standing(1)],
            observed=[device(1, serial="X-999")],
            sightings=[sighting(1, last=NOW.plus(-90_000))],
        )
    )
    assert failing(found) == {
        "other-serial": {serial(1), "X-999"},
        "missing": {serial(1)},
        "unregistered": {"X-999"},
    }


def test_stolen_boards_that_turn_up_are_found_at_any_site() -> None:
    """By the register they were stolen from another site."""
    found = reconcile(
        at_site(standings=[standing(1, state="stolen", site="tokyo-1")], observed=[device(1)])
    )
    assert failing(found) == {"stolen-observed": {serial(1)}, "elsewhere": {serial(1)}}


def test_a_register_that_agrees_with_itself_is_not_enough() -> None:
    """Firm and register name the same boards and no node ever spoke: nothing holds."""
    found = reconcile(
        at_site(
            declared=[item(n) for n in EIGHT],
            standings=[standing(n) for n in EIGHT],
            has_register=True,
        )
    )
    assert (found.verdict, found.holds) == ("unverifiable", 0)
