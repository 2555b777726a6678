"""observer.json: what a site may say, and what is refused with its field."""

from __future__ import annotations

from pathlib import Path

import pytest

from sekisho.model.errors import InvalidInput
from sekisho.model.wire import canonical
from sekisho.observer.equipping import equip, load_settings
from sekisho.observer.settings import parse_settings

REST = {"quantity": "power", "value": "400", "reason": "idle over a night in January"}
METER = {"instrument": "facility-power", "file": "/var/lib/meter.csv", "at_rest": [REST]}
UTIL = {"quantity": "gpu-util", "value": "2", "reason": "idle cards show 0"}


def parsed(*instruments: object, **more: object) -> object:
    return parse_settings(canonical({"instruments": list(instruments), **more}), path="o.json")


def test_a_home_without_settings_looks_at_processes_only(tmp_path: Path) -> None:
    """And a home with some is equipped by them."""
    assert equip(load_settings(tmp_path)).panel.instruments == ()
    document = {
        "instruments": [
            METER,
            {"instrument": "dcgm", "url": "http://127.0.0.1:9400/metrics", "at_rest": [UTIL]},
            {"instrument": "bmc", "file": "/run/bmc.json", "at_rest": [REST]},
            {"instrument": "nvml", "at_rest": [UTIL]},
        ],
        "work": {"slurm": {"jobs": "all"}},
        "strangers": {"reason": "nothing else computes here", "percent": "50"},
    }
    (tmp_path / "observer.json").write_bytes(canonical(document))
    surveyor = equip(load_settings(tmp_path))
    assert [s.name for s, _ in surveyor.panel.instruments] == [
        "facility-power",
        "dcgm",
        "bmc",
        "nvml",
    ]
    assert "idle over a night in January" in surveyor.panel.means("any-host")
    assert surveyor.panel.settles_s == 120
    surveyor.panel.close()


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({**METER, "at_rest": []}, "at_rest"),
        ({**METER, "at_rest": [{**REST, "reason": ""}]}, "reason"),
        ({**METER, "at_rest": [{**REST, "value": "-1"}]}, "at_rest.power"),
        ({**METER, "at_rest": [REST, REST]}, "twice"),
        ({**METER, "at_rest": [UTIL]}, "does not show gpu-util"),
        ({"instrument": "facility-power", "at_rest": [REST]}, "a file"),
        ({"instrument": "nvml", "file": "/x", "at_rest": [UTIL]}, "none of file and url"),
        (
            {"instrument": "nvml", "at_rest": [{**UTIL, "value": "100"}]},
            "calls everything work or nothing",
        ),
        ({"instrument": "bmc", "url": "https://10.0.0.9/x", "at_rest": [REST]}, "certificate"),
        ({**METER, "colour": "red"}, "colour"),
    ],
)
def test_settings_that_cannot_be_are_refused_by_field(document: object, field: str) -> None:
    """A level of rest has a value, a reason and a place; nothing is guessed."""
    with pytest.raises(InvalidInput, match=field):
        parsed(document)


def test_a_page_elsewhere_and_a_broken_file_are_refused(tmp_path: Path) -> None:
    """Before anything is observed."""
    page = {"instrument": "dcgm", "url": "http://10.0.0.7/metrics", "at_rest": [UTIL]}
    (tmp_path / "observer.json").write_bytes(canonical({"instruments": [page]}))
    with pytest.raises(InvalidInput, match="not on this machine"):
        equip(load_settings(tmp_path))
    (tmp_path / "observer.json").write_bytes(b"{")
    with pytest.raises(InvalidInput, match=r"observer\.json"):
        load_settings(tmp_path)
