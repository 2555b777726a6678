"""The whole-device account: every millisecond once, whatever schedulers and exporters say."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.metering.allotment import Allotment, DeviceAccount, SeenSpan, allot
from sekisho.model.instants import Instant, Period
from sekisho.model.telemetry import Allocation, DeviceSeen

PARTS = ("leased_ms", "exempt_ms", "undecided_ms", "unattributed_ms", "not_seen_ms")
DAY = Period(Instant(0), Instant(86_400_000_000))


def at(second: float) -> Instant:
    return Instant(round(second * 1_000_000))


def device(name: str = "GPU-a", **changes: Any) -> DeviceSeen:
    """One whole device at osaka-1/n1, seen all day."""
    fields = {
        "site": "osaka-1",
        "host": "n1",
        "chip": "NVIDIA H100",
        "first": at(0),
        "last": at(86_400),
    }
    return DeviceSeen(device=name, **{**fields, **changes})


def cut(number: int, slices: int = 1, parent: str = "GPU-a", **changes: Any) -> DeviceSeen:
    """A MIG slice, so many sevenths of its parent."""
    return device(f"{parent}/{number}", parent=parent, slices=slices, slices_of=7, **changes)


def job(name: str, start: float, end: float | None, *devices: str, **changes: Any) -> Allocation:
    fields: dict[str, Any] = {"site": "osaka-1", "chips": len(devices)}
    return Allocation(
        job=name,
        start=at(start),
        end=None if end is None else at(end),
        devices=devices,
        **{**fields, **changes},
    )


def parts(account: DeviceAccount) -> dict[str, Fraction]:
    """What is not nothing, in seconds."""
    names = (*PARTS, "overlapped_ms", "dark_ms")
    return {n[:-3]: getattr(account, n) / 1000 for n in names if getattr(account, n)}


def account(
    devices: Sequence[DeviceSeen], records: Sequence[Allocation], **options: Any
) -> dict[str, Fraction]:
    """The parts of the only device's account."""
    (only,) = allot(DAY, devices, records, **options).accounts
    assert sum(getattr(only, name) for name in PARTS) == only.device_ms
    return parts(only)


def kinds(found: Allotment) -> list[tuple[str, str]]:
    return [(finding.kind, finding.verdict) for finding in found.findings]


def test_time_is_leased_exempt_or_unattributed() -> None:
    """Jobs one after the other, and what lies between them."""
    records = [job("train", 0, 3600, "GPU-a"), job("drill", 4000, 5000, "GPU-a", exempt=True)]
    got = account([device()], records)
    assert got == {"leased": 3600, "exempt": 1000, "unattributed": 86_400 - 4600}
    assert allot(DAY, [device()], records).verdict == "holds"


def test_time_without_readings_is_not_seen_and_not_idle() -> None:
    """What nobody claims and no reading shows is a part of its own, and the account does not hold."""
    seen = [SeenSpan(device="GPU-a", start=at(0), end=at(1000))]
    assert account([device()], [], seen=seen) == {"unattributed": 1000, "not_seen": 85_400}
    assert account([device(last=at(1000), period_us=10_000_000)], []) == {
        "unattributed": 1010,
        "not_seen": 85_390,
    }
    assert allot(DAY, [device()], [], seen=seen).verdict == "unverifiable"


def test_leased_time_without_readings_is_leased_and_dark() -> None:
    """Gaps do not make a lease smaller."""
    seen = [SeenSpan(device="GPU-a", start=at(0), end=at(1000))]
    got = account([device()], [job("train", 500, 2000, "GPU-a")], seen=seen)
    assert got == {"leased": 1500, "dark": 1000, "unattributed": 500, "not_seen": 84_400}


def test_a_device_counts_from_when_it_was_first_seen_to_the_end() -> None:
    """That its readings stop does not take it out of the account."""
    got = account([device(first=at(80_000), last=at(80_100))], [])
    assert got == {"unattributed": 100, "not_seen": 6300}


def test_two_jobs_at_once_count_once_and_are_a_finding() -> None:
    """With both jobs named and the stretch in which they overlap."""
    records = [job("a", 0, 100, "GPU-a"), job("b", 60, 200, "GPU-a")]
    got = account([device()], records)
    assert got == {"leased": 200, "overlapped": 40, "unattributed": 86_200}
    found = allot(DAY, [device()], records)
    (overlap,) = found.findings
    assert (overlap.kind, overlap.jobs, overlap.start, overlap.end) == (
        "overlap",
        ("a", "b"),
        at(60),
        at(100),
    )
    assert found.verdict == "fails"


def test_a_job_that_is_written_down_twice_does_not_overlap_itself() -> None:
    """Requeued, or reported by two schedulers."""
    records = [job("a", 0, 100, "GPU-a"), job("a", 50, 200, "GPU-a")]
    assert account([device()], records) == {"leased": 200, "unattributed": 86_200}


def test_what_is_leased_and_exempt_at_once_is_leased() -> None:
    """An exempt job does not hide another one on its device."""
    records = [job("drill", 0, 100, "GPU-a", exempt=True), job("train", 50, 100, "GPU-a")]
    got = account([device()], records)
    assert got == {"leased": 50, "exempt": 50, "overlapped": 50, "unattributed": 86_300}


def test_an_allocation_without_an_end_runs_to_the_last_reading_or_on() -> None:
    """And says that it is open."""
    quiet = device(last=at(5000))
    record = job("train", 1000, None, "GPU-a")
    assert account([quiet], [record]) == {"leased": 4000, "unattributed": 1000, "not_seen": 81_400}
    assert kinds(allot(DAY, [quiet], [record])) == [("open allocation", "unverifiable")]
    later = job("train", 6000, None, "GPU-a")
    assert account([quiet], [later])["leased"] == 80_400


def test_a_device_that_no_telemetry_knows_is_a_finding_and_in_no_account() -> None:
    """There may be devices that do not report."""
    found = allot(DAY, [device()], [job("train", 0, 100, "GPU-a", "GPU-z")])
    assert kinds(found) == [("unknown device", "unverifiable")]
    assert found.findings[0].device == "GPU-z"
    assert [one.device for one in found.accounts] == ["GPU-a"]


def test_a_site_does_not_speak_for_another_sites_device() -> None:
    """Its record is a finding and takes nothing out of the unattributed time."""
    found = allot(DAY, [device()], [job("train", 0, 100, "GPU-a", site="tokyo-1")])
    assert kinds(found) == [("another site", "fails")]
    assert parts(found.accounts[0]) == {"unattributed": 86_400}


def test_a_record_that_names_hosts_takes_all_their_devices_if_it_has_as_many() -> None:
    """Two devices on n1, two chips."""
    devices = [device("GPU-a"), device("GPU-b"), device("GPU-c", host="n2")]
    found = allot(DAY, devices, [job("train", 0, 100, hosts=("n1",), chips=2)])
    assert [parts(one).get("leased") for one in found.accounts] == [100, 100, None]
    assert found.findings == ()


def test_a_record_that_does_not_say_which_devices_leaves_all_undecided() -> None:
    """One of two: neither leased nor idle."""
    devices = [device("GPU-a"), device("GPU-b")]
    found = allot(
        DAY, devices, [job("train", 0, 100, hosts=("n1",), chips=1), job("other", 50, 100, "GPU-a")]
    )
    assert [parts(one) for one in found.accounts] == [
        {"leased": 50, "undecided": 50, "unattributed": 86_300},
        {"undecided": 100, "unattributed": 86_300},
    ]
    assert kinds(found) == [("which devices", "unverifiable")]


@pytest.mark.parametrize(
    ("record", "kind"),
    [
        (job("j", 0, 100, hosts=("n9",), chips=1), "unknown host"),
        (job("j", 0, 100, hosts=("n1",), chips=3), "more chips than devices"),
        (job("j", 0, 100), "no devices"),
    ],
)
def test_a_record_that_does_not_fit_the_telemetry_is_a_finding(
    record: Allocation, kind: str
) -> None:
    """Hosts nobody knows, more chips than there are, nothing named at all."""
    assert kinds(allot(DAY, [device()], [record])) == [(kind, "unverifiable")]


def test_records_outside_the_period_say_nothing() -> None:
    """Ended before it or began after it."""
    records = [job("j", -100, 0, "GPU-a"), job("j", 86_400, 90_000, "GPU-z")]
    found = allot(DAY, [device()], records)
    assert found.findings == ()
    assert parts(found.accounts[0]) == {"unattributed": 86_400}


def test_slices_count_their_share_of_one_device() -> None:
    """3 of 7 leased, 2 of 7 seen and free, the rest of the device not seen."""
    devices = [cut(1, 3), cut(2, 2)]
    got = account(devices, [job("serve", 0, 700, "GPU-a/1")])
    assert got == {
        "leased": 300,
        "unattributed": Fraction(86_400 * 5, 7) - 300,
        "not_seen": Fraction(86_400 * 2, 7),
    }


def test_a_parent_that_reports_beside_its_slices_is_one_device() -> None:
    """Slices tell who had which share, the parent that all of it was there."""
    devices = [device(), cut(1, 3), cut(2, 4)]
    got = account(devices, [job("serve", 0, 700, "GPU-a/1")])
    assert got == {"leased": 300, "unattributed": 86_100}


def test_a_job_on_the_whole_and_one_on_a_slice_overlap_by_the_slice() -> None:
    """The whole device is leased once."""
    records = [job("whole", 0, 700, "GPU-a"), job("part", 0, 700, "GPU-a/1")]
    got = account([device(), cut(1, 3)], records)
    assert got == {"leased": 700, "overlapped": 300, "unattributed": 85_700}


def test_slices_over_the_whole_count_as_the_whole() -> None:
    """Eight sevenths of a device are one device and a finding."""
    devices = [cut(1, 4), cut(2, 4)]
    records = [job("a", 0, 100, "GPU-a/1"), job("b", 0, 100, "GPU-a/2")]
    found = allot(DAY, devices, records)
    assert parts(found.accounts[0]) == {"leased": 100, "unattributed": 86_300}
    assert kinds(found) == [("slices over whole", "fails")]


def test_slices_that_follow_each_other_are_no_finding() -> None:
    """A device is cut anew at noon."""
    noon = at(43_200)
    devices = [cut(1, 7, last=noon), cut(2, 4, first=noon), cut(3, 3, first=noon)]
    assert allot(DAY, devices, []).findings == ()


def test_a_new_uuid_in_a_slot_is_a_new_device_and_a_note() -> None:
    """The old one stays in the account, not seen, until a register says where it went."""
    old = device("GPU-old", slot="0000:1b:00.0", last=at(40_000))
    new = device("GPU-new", slot="0000:1b:00.0", first=at(40_060))
    found = allot(DAY, [old, new], [])
    assert kinds(found) == [("uuid changed", "unverifiable")]
    assert {one.device: parts(one) for one in found.accounts} == {
        "GPU-old": {"unattributed": 40_000, "not_seen": 46_400},
        "GPU-new": {"unattributed": 86_400 - 40_060},
    }


def test_two_uuids_at_once_in_a_slot_contradict_each_other() -> None:
    """One slot holds one device; both are accounted."""
    pair = [device("GPU-a", slot="3"), device("GPU-b", slot="3")]
    found = allot(DAY, pair, [])
    assert kinds(found) == [("two devices in one slot", "fails")]
    assert len(found.accounts) == 2


def test_a_device_at_two_places_is_accounted_once() -> None:
    """Under the site that saw it first; the other is a finding."""
    here, there = device(), device(site="tokyo-1", host="t9", first=at(100))
    found = allot(DAY, [there, here], [])
    (only,) = found.accounts
    assert (only.site, only.device_ms) == ("osaka-1", 86_400_000)
    assert kinds(found) == [("two places", "fails")]
    moved = [device(last=at(100)), device(host="n2", first=at(200))]
    assert allot(DAY, moved, []).findings == ()


def test_findings_that_touch_are_told_once() -> None:
    """Something else that changes in between does not split them."""
    seen = [SeenSpan(device="GPU-a", start=at(0), end=at(50))]
    records = [job("a", 0, 100, "GPU-a"), job("b", 0, 100, "GPU-a")]
    (overlap,) = allot(DAY, [device()], records, seen=seen).findings
    assert (overlap.start, overlap.end) == (at(0), at(100))


SECOND = st.integers(0, 40).map(lambda n: n * 2_500_000_123)
NAMES = ["GPU-a", "GPU-a/1", "GPU-a/2", "GPU-b", "GPU-z"]


@st.composite
def devices_of(draw: st.DrawFn) -> list[DeviceSeen]:
    """Any of a few devices and slices, at any places, with any lives and shares."""
    found = []
    for name in draw(st.lists(st.sampled_from(NAMES[:4]), max_size=6)):
        life = sorted(draw(st.tuples(SECOND, SECOND)))
        found.append(
            DeviceSeen(
                device=name,
                site=draw(st.sampled_from(["osaka-1", "osaka-1", "tokyo-1"])),
                host=draw(st.sampled_from(["n1", "n2", ""])),
                slot=draw(st.sampled_from(["", "0", "1"])),
                parent="GPU-a" if "/" in name else "",
                slices=draw(st.integers(1, 7)) if "/" in name else 1,
                slices_of=7 if "/" in name else 1,
                first=draw(st.sampled_from([None, Instant(life[0])])),
                last=draw(st.sampled_from([None, Instant(life[1])])),
                period_us=draw(st.sampled_from([0, 10_000_000])),
            )
        )
    return found


@st.composite
def records_of(draw: st.DrawFn) -> Allocation:
    """A record that may overlap others, be open, name nothing, or name what nobody knows."""
    start, end = sorted(draw(st.tuples(SECOND, SECOND)))
    return Allocation(
        job=draw(st.sampled_from("abc")),
        site=draw(st.sampled_from(["osaka-1", "osaka-1", "tokyo-1"])),
        start=Instant(start),
        end=draw(st.sampled_from([None, Instant(end + 1000)])),
        chips=draw(st.integers(0, 3)),
        devices=tuple(draw(st.lists(st.sampled_from(NAMES), max_size=3))),
        hosts=tuple(draw(st.lists(st.sampled_from(["n1", "n2", "n9"]), max_size=2))),
        exempt=draw(st.booleans()),
    )


SPANS = st.builds(
    lambda name, a, b: SeenSpan(device=name, start=Instant(min(a, b)), end=Instant(max(a, b))),
    st.sampled_from(NAMES),
    SECOND,
    SECOND,
)


@given(devices_of(), st.lists(records_of(), max_size=6), st.none() | st.lists(SPANS, max_size=4))
def test_the_parts_make_up_the_device_time_exactly(
    devices: list[DeviceSeen], records: list[Allocation], seen: list[SeenSpan] | None
) -> None:
    """For any devices and records: no part below nothing, no millisecond twice, none left out."""
    found = allot(DAY, devices, records, seen)
    assert [one.device for one in found.accounts] == sorted({d.parent or d.device for d in devices})
    for one in found.accounts:
        values = [getattr(one, name) for name in PARTS]
        assert min(values) >= 0
        assert sum(values) == one.device_ms
        claimed = one.leased_ms + one.exempt_ms
        assert 0 <= one.overlapped_ms <= claimed
        assert 0 <= one.dark_ms <= claimed


@given(devices_of(), st.lists(records_of(), max_size=6), st.lists(SPANS, max_size=4))
def test_the_account_agrees_with_one_that_asks_at_every_edge(
    devices: list[DeviceSeen], records: list[Allocation], seen: list[SeenSpan]
) -> None:
    """Leased time of whole devices again, by asking between any two edges who claims them."""
    whole = [d for d in devices if not d.parent and d.device == "GPU-b"][:1]
    named = [r for r in records if r.devices]
    edges = {0, 86_400_000}
    for record in named:
        edges |= {record.start.us // 1000, record.end.us // 1000 if record.end else 86_400_000}
    for one in whole:
        edges |= {i.us // 1000 for i in (one.first, one.last) if i}
        edges |= {(one.last.us + one.period_us) // 1000} if one.last else set()
    ordered = sorted(edge for edge in edges if 0 <= edge <= 86_400_000)
    for found in allot(DAY, whole, named, seen).accounts:
        (one,) = whole
        want = sum(
            later - edge
            for edge, later in pairwise(ordered)
            if any(holds(one, record, edge) for record in named if not record.exempt)
        )
        assert found.leased_ms == want


def holds(one: DeviceSeen, record: Allocation, edge: int) -> bool:
    """Whether a record has a whole device at a millisecond of its account."""
    if one.device not in record.devices or one.site != record.site:
        return False
    start = record.start.us // 1000
    end = record.end.us // 1000 if record.end else 86_400_000
    if record.end is None and one.last and (last := (one.last.us + one.period_us) // 1000) > start:
        end = last
    return start <= edge < end and (one.first is None or edge >= one.first.us // 1000)


@given(devices_of(), st.lists(records_of(), max_size=4), st.randoms())
def test_the_order_of_records_does_not_matter(
    devices: list[DeviceSeen], records: list[Allocation], random: Any
) -> None:
    """An account is a function of the set of records."""
    shuffled = list(records)
    random.shuffle(shuffled)
    one, other = allot(DAY, devices, records), allot(DAY, devices, shuffled)
    assert one.accounts == other.accounts
    assert set(one.findings) == set(other.findings)
