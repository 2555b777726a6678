"""A small overlay over the pack that ships, made over whatever bytes a test lays it on."""

from __future__ import annotations

from sekisho.model.statements import PackReference
from sekisho.rules import load_pack, pack_bytes

__all__ = ["BASE", "BASE_BYTES", "newer_base", "overlay"]

BASE = load_pack().reference
BASE_BYTES = pack_bytes()


def overlay(base: PackReference = BASE, *, version: str = "1", value: str = "1e23") -> bytes:
    """A reform of the strict threshold from 2100 on: no answer of today changes."""
    return f"""\
pack: loop-tightened
version: "{version}"
title: A stricter threshold from 2100
title-ja: 2100年からの厳しい基準
note: for tests only
standing: reform
over: {{pack: {base.name}, version: "{base.version}", sha256: {base.sha256}}}
starts: 2100-01-01
sources:
  own:
    title: Figures of a test
    where: here
    mark: O
parameters:
  treaty-strict:
    values:
      - {{from: 2100-01-01, value: {value}, source: own, cite: a test, mark: O}}
""".encode()


def newer_base() -> bytes:
    """The shipped pack with another version and one word more in its note: other bytes, another digest."""
    return BASE_BYTES.replace(b'version: "1"', b'version: "1.1"', 1) + b"# one line more\n"
