"""Enrolled, licensed and seen devices held against each other."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.licensing.device_set import Expected, check_set, root_of
from sekisho.model.statements import LicenceIssued
from sekisho.model.wire import canonical, sha256_hex
from sekisho.ports.device_census import SeenDevice
from tests.devices import bound_to, enrolled, seen

ONE, TWO, OTHER = "GPU-1", "GPU-2", "GPU-9"
HOME = Expected(enrolled=(enrolled(ONE), enrolled(TWO)))


def judged(
    *devices: SeenDevice, expected: Expected = HOME, licence: LicenceIssued | None = None
) -> tuple[str, list[str]]:
    """The verdict, and its faults as `code device`."""
    found = check_set(expected, licence or bound_to(ONE, TWO), "host-1", devices)
    return found.verdict, [f"{fault.code} {fault.device}".strip() for fault in found.faults]


def test_the_set_that_was_licensed_holds() -> None:
    """All enrolled devices are there, in any order, and are those that the licence is bound to."""
    assert judged(seen(TWO), seen(ONE)) == ("holds", [])


def test_the_root_is_that_of_the_issuer() -> None:
    """SHA-256 over the canonical, sorted list of ids, as licences have it since the first."""
    assert root_of((TWO, ONE)) == sha256_hex(canonical([ONE, TWO]))


@pytest.mark.parametrize(
    ("devices", "faults"),
    [
        ((seen(ONE),), ["device-missing GPU-2"]),
        ((), ["device-missing GPU-1", "device-missing GPU-2"]),
        ((seen(ONE), seen(TWO), seen(OTHER)), ["device-foreign GPU-9"]),
        ((seen(ONE), seen(OTHER)), ["device-swapped GPU-9", "device-missing GPU-2"]),
        ((seen(ONE), seen(TWO), seen(TWO)), ["device-twice GPU-2"]),
        ((seen(ONE), seen(TWO, chip="Tesla T4")), ["device-not-as-enrolled GPU-2"]),
    ],
)
def test_another_set_fails_and_names_the_device(
    devices: tuple[SeenDevice, ...], faults: list[str]
) -> None:
    """Missing, added, exchanged, doubled, of another model."""
    assert judged(*devices) == ("fails", faults)


def test_a_device_with_far_less_memory_is_another() -> None:
    """What a driver keeps for itself is not missed; half of it is."""
    expected = Expected(enrolled=(enrolled(ONE, memory_bytes=80 << 30),))
    licence = bound_to(ONE)
    for memory, verdict in ((79 << 30, "holds"), (64 << 30, "holds"), (40 << 30, "fails")):
        found = judged(seen(ONE, memory_bytes=memory), expected=expected, licence=licence)
        assert found[0] == verdict


def test_what_cannot_be_read_is_unverifiable_and_never_all_there() -> None:
    """No census, a device that does not answer, one that lost its name: each is said, none holds."""
    unread = check_set(HOME, bound_to(ONE, TWO), "host-1", None, "NVML: no driver")
    lost = judged(seen(ONE), seen(TWO, lost="GPU is lost"))

    assert (unread.verdict, unread.faults[0].why) == ("unverifiable", "NVML: no driver")
    assert lost == ("unverifiable", ["device-lost GPU-2"])
    nameless = judged(seen(ONE), SeenDevice(device="device 1", lost="GPU is lost"))
    assert nameless == ("fails", ["device-missing GPU-2", "device-lost device 1"])


def test_a_device_is_known_by_the_name_that_it_was_enrolled_under() -> None:
    """Settings say which UUID an enrolled name has."""
    expected = Expected(enrolled=(enrolled("rack-1/gpu-0"),), names={"rack-1/gpu-0": ONE})
    licence = bound_to("rack-1/gpu-0")

    assert judged(seen(ONE), expected=expected, licence=licence) == ("holds", [])
    found = judged(seen(TWO), expected=expected, licence=licence)
    assert found == ("fails", ["device-swapped GPU-2", "device-missing rack-1/gpu-0"])


def test_only_what_no_driver_shows_may_be_unseen() -> None:
    """The host's processor is not asked for; a chip of the table is, whatever settings say."""
    cpu = enrolled("cpu", chip="host CPU", basis="declared")
    expected = Expected(enrolled=(cpu, enrolled(ONE)), unseen=frozenset({"cpu", ONE}))

    found = judged(expected=expected, licence=bound_to("cpu", ONE))
    assert found == ("fails", ["device-missing GPU-1"])


def test_an_exempt_device_is_no_part_of_the_set() -> None:
    """It may be there, and its absence is nothing."""
    expected = msgspec.structs.replace(HOME, exempt=frozenset({OTHER}))

    assert judged(seen(ONE), seen(TWO), seen(OTHER), expected=expected) == ("holds", [])
    assert judged(seen(ONE), seen(TWO), expected=expected) == ("holds", [])


@pytest.mark.parametrize("bound", [(ONE,), (ONE, OTHER), (ONE, TWO, OTHER)])
def test_a_licence_bound_to_another_set_fails(bound: tuple[str, ...]) -> None:
    """Fewer, others or more than are enrolled here."""
    found = judged(seen(ONE), seen(TWO), licence=bound_to(*bound))
    assert found == ("fails", ["device-set-changed"])


def test_of_several_hosts_the_whole_list_is_proved_by_the_root() -> None:
    """Without it a host's part is not proved; with it a device of its own that is not in it is named."""
    licence = bound_to(ONE, OTHER, hosts=("host-1", "host-2"))
    alone = Expected(enrolled=(enrolled(ONE),))
    told = msgspec.structs.replace(alone, licensed=(OTHER, ONE))

    found = judged(seen(ONE), expected=alone, licence=licence)
    assert found == ("unverifiable", ["device-set-unproved"])
    assert judged(seen(ONE), expected=told, licence=licence) == ("holds", [])
    more = msgspec.structs.replace(told, enrolled=(enrolled(ONE), enrolled(TWO)))
    found = judged(seen(ONE), seen(TWO), expected=more, licence=licence)
    assert found == ("fails", ["device-not-licensed GPU-2"])
    wrong = msgspec.structs.replace(told, licensed=(TWO, ONE))
    assert judged(seen(ONE), expected=wrong, licence=licence)[1] == ["device-set-changed"]


def test_without_a_licence_only_the_enrolment_counts() -> None:
    """A host that has none yet is held against what it enrolled."""
    assert check_set(HOME, None, "host-1", (seen(ONE), seen(TWO))).verdict == "holds"
    assert check_set(HOME, None, "host-1", (seen(ONE),)).verdict == "fails"


@given(
    there=st.sets(st.sampled_from([f"GPU-{n}" for n in range(6)])),
    fixed=st.sets(st.sampled_from([f"GPU-{n}" for n in range(6)]), min_size=1),
)
def test_only_exactly_the_fixed_set_holds(there: set[str], fixed: set[str]) -> None:
    """Over all pairs of sets: holds if and only if they are equal."""
    expected = Expected(enrolled=tuple(enrolled(name) for name in sorted(fixed)))
    found = check_set(
        expected, bound_to(*sorted(fixed)), "host-1", tuple(seen(name) for name in there)
    )
    assert (found.verdict == "holds") == (there == fixed)
