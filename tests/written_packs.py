"""Packs as people write them, for tests of the format: one with everything in it, and overlays over it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from sekisho.model.statements.shapes import PackReference
from sekisho.rules import Pack, parse_pack

__all__ = ["FULL", "as_yaml", "finder", "line_of", "overlay_text", "read", "read_over"]

FULL = """\
pack: full
version: "1"
title: A pack with everything
title-ja: すべてを含む規則集
note: for tests
standing: law
jurisdiction: US
coverage: {from: 2022-01-01, until: 2027-01-01}
sources:
  law: {title: A law, where: nowhere, mark: P}
quantities:
  cooling-water:
    kind: amount
    unit: m3/yr
    means: water for cooling in a year
    means-ja: 年間の冷却水量
  attested: {kind: flag, means: the designer has attested it, means-ja: 設計者の証明がある}
  route: {kind: places, means: countries of the route, means-ja: 経路の国}
  purpose: {kind: word, means: the stated purpose, means-ja: 目的, words: [civil, other]}
sets:
  group-d:
    means: destinations of concern
    means-ja: 懸念国
    versions:
      - {from: 2022-01-01, members: [CN, HK, MO], source: law, cite: Supp. 1, mark: P}
      - {from: 2025-01-01, members: [CN, HK, MO, RU], source: law, cite: Supp. 1, mark: P}
parameters:
  density:
    unit: TPP/mm2
    means: performance density
    means-ja: 性能密度
    values:
      - {from: 2022-01-01, value: 5.92, source: law, cite: Art. 1, mark: P, review-by: 2026-12-01}
  water:
    unit: m3/yr
    means: water above which it is large
    means-ja: 大規模とされる水量
    values:
      - {from: 2022-01-01, value: 2.5e6, source: law, cite: Art. 2, mark: P}
  third:
    unit: share
    means: a third
    means-ja: 三分の一
    values:
      - {from: 2022-01-01, value: 1/3, source: law, cite: Art. 3, mark: P}
definitions:
  dense:
    means: a dense chip
    means-ja: 高密度チップ
    versions:
      - from: 2022-01-01
        when: {quantity: performance_density, op: ">=", parameter: density, unit: TPP/mm2}
        source: law
        cite: Art. 1
        mark: P
  controlled:
    label: 9Z999.a
    means: a controlled chip
    means-ja: 規制チップ
    versions:
      - from: 2022-01-01
        when:
          all:
            - {definition: dense, is: true}
            - {quantity: tpp, op: ">=", value: 1600, unit: TPP}
        source: law
        cite: Art. 1
        mark: P
      - {from: 2026-06-01, when: null, source: law, cite: Art. 1, mark: P}
rules:
  - id: to-concern
    cite: Art. 5
    binding: exporters
    for: [transfer]
    status:
      - {from: 2022-01-01, status: announced, acts: false, source: law, cite: Art. 9, mark: P}
      - {from: 2022-06-01, status: enforced, acts: true, source: law, cite: Art. 9, mark: P}
    when:
      all:
        - {definition: controlled, is: true}
        - {quantity: destination, op: any-of, set: group-d}
        - not: {quantity: end_use, op: one-of, value: [research]}
    outcome: licence
    duty: apply for a licence
    duty-ja: 許可を申請する
    duties:
      - id: application
        what: an application
        what-ja: 申請
        per: shipment
        deadline: {days: 30, before: the shipment}
        hours: 6.5
        hours-mark: S
        delay-days: 90
      - {id: yearly, what: a report, what-ja: 報告, per: half-year, deadline: {each-year-on: ["07-15", "01-15"]}}
    reviews:
      - from: 2022-01-01
        policy: presumption-of-denial
        when: {quantity: headquarters, op: any-of, value: [MO]}
        source: law
        cite: Art. 6
        mark: P
      - {from: 2022-01-01, policy: case-by-case, source: law, cite: Art. 6, mark: P}
  - id: thirsty
    cite: Art. 7
    binding: operators
    for: [cluster, cloud-use]
    status:
      - {from: 2022-01-01, status: in force, acts: true, source: law, cite: Art. 9, mark: P}
    when:
      any:
        - {quantity: cooling-water, op: ">", parameter: water, unit: m3/yr}
        - all:
            - {quantity: attested, op: is, value: false}
            - {quantity: route, op: all-of, value: [JP, US]}
            - {quantity: purpose, op: one-of, value: [other]}
    outcome: report
    duty: report it
    duty-ja: 届け出る
  - id: modified
    cite: Art. 8
    binding: providers
    status:
      - {from: 2022-01-01, status: in force, acts: true, source: law, cite: Art. 9, mark: P}
    when:
      all:
        - {quantity: modification_share, op: ">", parameter: third, unit: share}
        - {quantity: jurisdictions, op: any-of, value: [EU, US-CA]}
    outcome: report
    duty: tell the authority
    duty-ja: 当局に通知する
exceptions:
  - id: low-volume
    cite: Art. 10
    title: Low volume
    title-ja: 少量
    status:
      - {from: 2022-06-01, status: enforced, acts: true, source: law, cite: Art. 10, mark: P}
    lifts: [to-concern]
    eligibility:
      - says: at most 100 chips
        says-ja: 100個以下
        when: {quantity: shipment_chips, op: "<=", value: 100, unit: chips}
    notices:
      - {id: notice, what: a notice, what-ja: 通知, per: shipment, deadline: {hours: 48, before: the shipment}}
"""


def read(text: str = FULL) -> Pack:
    """The pack of that text."""
    return parse_pack(text, "p.yaml")


def line_of(text: str, part: str) -> int:
    """The number of the first line that holds `part`."""
    return next(number for number, line in enumerate(text.split("\n"), 1) if part in line)


def as_yaml(document: Mapping[str, Any]) -> bytes:
    """A document as YAML that every reader of YAML takes: JSON is part of it."""
    return json.dumps(document, ensure_ascii=False).encode()


def finder(*packs: bytes | str) -> Any:
    """What gives the bytes of a base by its digest, whatever name is asked for."""
    known = {hashlib.sha256(_bytes(pack)).hexdigest(): _bytes(pack) for pack in packs}

    def find(over: PackReference) -> bytes | None:
        return known.get(over.sha256)

    return find


def overlay_text(
    rest: str, base: bytes | str = FULL, name: str = "tighter", over: str = "full"
) -> str:
    """An overlay over `base` from 2026-01-01 on, with what it adds."""
    digest = hashlib.sha256(_bytes(base)).hexdigest()
    return f"""\
pack: {name}
version: "1"
title: A reform
note: for tests
over: {{pack: {over}, version: "1", sha256: {digest}}}
starts: 2026-01-01
sources:
  bill-{name}: {{title: A bill, where: nowhere, mark: O}}
{rest}"""


def read_over(rest: str, base: str = FULL) -> Pack:
    """The overlay with what it adds, laid over `base`."""
    return parse_pack(overlay_text(rest, base), "o.yaml", finder(base))


def _bytes(pack: bytes | str) -> bytes:
    return pack.encode() if isinstance(pack, str) else pack
