"""Whoever may write a text into the log tries to forge an event in somebody's security monitoring."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import pytest

from sekisho.model.errors import InvalidInput
from sekisho.model.statements import FindingRaised, make_payload, parse_payload
from sekisho.model.wire import canonical, sha256_hex
from tests.cli.ceremonies import PAUSED, T0, KeyHolder
from tests.factory import host_enrolled, order_issued
from tests.factory_bundle import honest_story, item, pause, seal, write_folder

FORGED = (
    "x\nCEF:0|Sekisho|sekisho|1|order-issued|order issued|10|externalId=0 msg=forged\r\n"
    '99 <105>1 - - sekisho - order-issued [event@32473 id="0"] forged\x1b[2J\u202e'
    '"] = | \\ \u2028{"v":1,"id":"0","kind":"order-issued"}\n'
)


def _frames(data: bytes) -> int:
    """How many octet-counted frames there are."""
    count = 0
    while data:
        length, _, rest = data.partition(b" ")
        data, count = rest[int(length) :], count + 1
    return count


SPLIT: Final[Mapping[str, Callable[[bytes], int]]] = {
    "jsonl": lambda data: len([json.loads(line) for line in data.splitlines()]),
    "cef": lambda data: len([x for x in data.decode().splitlines() if x.startswith("CEF:0|Sek")]),
    "syslog": _frames,
}


@pytest.mark.parametrize("form", ["jsonl", "cef", "syslog"])
def test_log_export_forged_event(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Line ends, pipes, equal signs, brackets and escapes in a text make no second event and no field."""
    holder = KeyHolder(tmp_path, monkeypatch, second=PAUSED)
    story = honest_story(holder.cast)
    story.batches = [batch for batch in story.batches if batch[0] <= PAUSED]
    story.replace("pause-1", pause(legal_basis=FORGED, appeal=FORGED))
    finding = FindingRaised(effective=T0, finding="forged", host="host-1", detail=FORGED)
    story.insert_after("pause-1", "finding", item(finding, "operator-1"))
    sealed = seal(story, holder.cast)
    write_folder(tmp_path / "bundle", sealed.files)
    out = tmp_path / "events"
    assert holder.call("log", "export", "--log", holder.log, "--format", form, "--out", out) == 0
    data = out.read_bytes()
    size = int(sealed.files["log/checkpoint"].split(b"\n")[1])
    assert b"x" in data
    assert SPLIT[form](data) == size
    assert not [c for c in data.decode("utf-8") if not c.isprintable() and c not in "\n\ufeff"]


@pytest.mark.parametrize(
    ("name", "field"), [("site", "site"), ("host", "host"), ("register", "register")]
)
def test_log_export_forged_name(name: str, field: str) -> None:
    """A name with a line end, a pipe or an escape is no name: the statement is refused before any log has it."""
    good = make_payload(host_enrolled() if name != "register" else order_issued())
    value = json.loads(good)["predicate"][field]
    for bad in (f"{value}\n", f"{value}|x", f"{value}=1", f"{value}\x1b[2J"):
        document = json.loads(good)
        document["predicate"][field] = bad
        predicate = canonical(document["predicate"])
        document["subject"][0]["digest"]["sha256"] = sha256_hex(predicate)
        with pytest.raises(InvalidInput):
            parse_payload(canonical(document))
