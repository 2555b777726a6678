"""Accelerators and what a cluster of them amounts to: TPP, performance density, H100 equivalents.

Peaks are dense and count a multiply-accumulate as two operations. Derived figures are recomputed from the peaks
and never stored, because published TPP columns disagree with themselves. Sources: 15 CFR 774 Supp. 1, 3A090
Technical Notes 1 to 4; arXiv 2511.10783v2 Art. II.15-16. `chips.csv` carries the mark of every value.
"""

from __future__ import annotations

import csv
import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from functools import lru_cache
from importlib import resources

import msgspec

from sekisho.model.errors import InvalidInput

__all__ = [
    "BITS",
    "EXPORT_H100",
    "TREATY_H100",
    "Chip",
    "ChipTable",
    "ClusterFigures",
    "H100Constants",
    "cluster_figures",
    "faster_name",
    "known_chips",
    "parse_chip_table",
]

BITS: Mapping[str, int] = {"fp16": 16, "fp8": 8, "fp6": 6, "fp4": 4, "int8": 8}
_TERA = 10**12
_PEAK_COLUMNS = {
    "fp16": "fp16_tflops",
    "fp8": "fp8_tflops",
    "fp6": "fp6_tflops",
    "fp4": "fp4_tflops",
    "int8": "int8_tops",
}
# Where the designers of the table have their seat: ISO 3166-1 alpha-2, recalled.
_AMERICAN = ("NVIDIA", "AMD", "Intel", "Google", "AWS", "Microsoft", "Meta", "Groq")
_CHINESE = (
    *("Huawei", "Cambricon", "Biren", "Baidu", "Moore Threads", "MetaX", "T-Head", "Iluvatar"),
)
_SEATS: Mapping[str, str] = {**dict.fromkeys(_AMERICAN, "US"), **dict.fromkeys(_CHINESE, "CN")}
_BEFORE = ["name", "vendor", "released"]
_AFTER = [
    "memory_gb",
    "die_mm2",
    "bandwidth_gbs",
    "interconnect_gbs",
    "datacenter",
    "marks",
    "aliases",
]
_COLUMNS = [*_BEFORE, *_PEAK_COLUMNS.values(), *_AFTER]


class H100Constants(msgspec.Struct, frozen=True, kw_only=True):
    """What one text calls an H100: the treaty draft and the export-control files differ, and stay apart."""

    source: str
    flop_per_s: int
    tpp: int
    memory_gb: int


TREATY_H100 = H100Constants(
    source="arXiv 2511.10783v2 Art. II.15-16", flop_per_s=989 * _TERA, tpp=15_824, memory_gb=80
)
EXPORT_H100 = H100Constants(
    source="export-control files, 989.5 TFLOP/s",
    flop_per_s=9895 * _TERA // 10,
    tpp=15_832,
    memory_gb=80,
)


class Chip(msgspec.Struct, frozen=True, kw_only=True):
    """One accelerator type. `peaks` are dense operations per second by format; an absent format is unknown.

    `marks` maps a field to P or S; a value without a mark is recalled (R), to be verified.
    """

    name: str
    vendor: str
    peaks: dict[str, int]
    released: str = ""
    memory_gb: Fraction | None = None
    die_mm2: Fraction | None = None
    bandwidth_gbs: Fraction | None = None
    interconnect_gbs: Fraction | None = None  # aggregate, both directions
    datacenter: bool = True
    marks: dict[str, str] = {}
    aliases: tuple[str, ...] = ()

    @property
    def designer_country(self) -> str | None:
        """Where the designer has its seat; recalled. None for a maker that we do not know."""
        return _SEATS.get(self.vendor)

    @property
    def fastest_format(self) -> str:
        return max(self.peaks, key=lambda name: (self.peaks[name], name))

    @property
    def fastest_peak_flop_per_s(self) -> int:
        """The peak that bounds a meter: no dense format of the table runs faster."""
        return self.peaks[self.fastest_format]

    @property
    def fp16_equivalent_flop_per_s(self) -> Fraction:
        """The 16-bit peak; where the table has none, TPP / 16 (treaty draft Art. II.4 counts FP16 equivalents)."""
        fp16 = self.peaks.get("fp16")
        return Fraction(fp16) if fp16 is not None else self.tpp * _TERA / 16

    @property
    def tpp(self) -> Fraction:
        """Total processing performance: dense tera-operations per second x bit length, the largest over formats."""
        return max(Fraction(peak * BITS[name], _TERA) for name, peak in self.peaks.items())

    @property
    def tpp_bits(self) -> int:
        """The bit length that gives the TPP; the longer one where two tie."""
        return max(
            BITS[name] for name, peak in self.peaks.items() if peak * BITS[name] == self.tpp * _TERA
        )

    @property
    def performance_density(self) -> Fraction | None:
        """TPP per square millimetre of logic die; None where the die area is unknown."""
        return None if self.die_mm2 is None else self.tpp / self.die_mm2

    def tpp_under(self, constants: H100Constants) -> Fraction:
        """The TPP as one text counts it: an H100 is exactly that text's H100, not a rounding more."""
        return Fraction(constants.tpp) if self.tpp == EXPORT_H100.tpp else self.tpp

    def fp16_flop_per_s_under(self, constants: H100Constants) -> Fraction:
        """The FP16-equivalent rate as one text counts it; sixteen H100 are sixteen H100 equivalents."""
        is_h100 = self.peaks.get("fp16") == EXPORT_H100.flop_per_s
        return Fraction(constants.flop_per_s) if is_h100 else self.fp16_equivalent_flop_per_s

    def h100e(self, constants: H100Constants = EXPORT_H100) -> Fraction:
        """H100 equivalents by TPP, under the constants of one text."""
        return self.tpp_under(constants) / constants.tpp

    def mark(self, field: str) -> str:
        return self.marks.get(field, "R")

    def to_be_verified(self, fields: Iterable[str]) -> list[str]:
        """Those of `fields` that are known but only recalled."""
        return [field for field in fields if self._has(field) and self.mark(field) == "R"]

    def _has(self, field: str) -> bool:
        if field in BITS:
            return field in self.peaks
        values = {
            "memory": self.memory_gb,
            "die": self.die_mm2,
            "bandwidth": self.bandwidth_gbs,
            "interconnect": self.interconnect_gbs,
        }
        return values.get(field) is not None


class ChipTable:
    """The accelerators we know, found by the names that people and inventories write."""

    def __init__(self, chips: Iterable[Chip]) -> None:
        self.chips: tuple[Chip, ...] = tuple(chips)
        self._by_key: dict[str, Chip] = {}
        for chip in self.chips:
            for name in (chip.name, *chip.aliases):
                key, _ = _key_and_memory(name)
                if self._by_key.setdefault(key, chip) is not chip:
                    raise InvalidInput(f"{name!r} names two chips", path=chip.name)

    def __iter__(self) -> Iterator[Chip]:
        return iter(self.chips)

    def __len__(self) -> int:
        return len(self.chips)

    def find(self, name: str) -> Chip | None:
        """The chip behind a written name ("NVIDIA H100-SXM5-80GB"), or None; never a guess between two.

        A bare family name ("H100") is its fastest variant, so that a bound stays sound. Of a memory size in the name
        and the table's the larger counts: a name must not talk a cluster below a limb. Another maker's chip of the
        same name is not the table's.
        """
        key, memory_gb = _key_and_memory(name)
        chip = self._by_key.get(key)
        if chip is None or _is_from_another_maker(name, chip):
            return None
        if memory_gb is None or (chip.memory_gb is not None and memory_gb <= chip.memory_gb):
            return chip
        marks = {field: mark for field, mark in chip.marks.items() if field != "memory"}
        return msgspec.structs.replace(chip, memory_gb=memory_gb, marks=marks)

    def nearest(self, name: str) -> list[str]:
        """Up to three names of the table that look like a written one, for a person to choose from."""
        key = _key_and_memory(name)[0]
        # Nothing longer than twice a key can be 0.7 like it: a name of no chip at all costs no search.
        if len(key) > 2 * max(map(len, self._by_key), default=0):
            return []
        found = difflib.get_close_matches(key, self._by_key, n=6, cutoff=0.7)
        return list(dict.fromkeys(self._by_key[key].name for key in found))[:3]


def _names(chip: Chip) -> tuple[str, ...]:
    return (chip.name, *chip.aliases)


class ClusterFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What the chips of one cluster amount to, by the constants of one text."""

    constants: H100Constants
    chips: int
    fp16_flop_per_s: Fraction
    tpp: Fraction
    known_memory_gb: Fraction
    memory_complete: bool
    fastest_flop_per_s: int

    @property
    def h100e_by_compute(self) -> Fraction:
        """The larger of the two compute limbs: 16-bit rate and TPP."""
        by_rate = self.fp16_flop_per_s / self.constants.flop_per_s
        return max(by_rate, self.tpp / self.constants.tpp)

    @property
    def h100e_by_memory(self) -> Fraction | None:
        """None where a chip's memory is unknown."""
        known = self.known_memory_gb / self.constants.memory_gb
        return known if self.memory_complete else None

    @property
    def is_covered(self) -> bool | None:
        """More than 16 H100 equivalents by compute or by memory (treaty draft Art. II.16).

        None where unknown memory decides.
        """
        known = max(self.h100e_by_compute, self.known_memory_gb / self.constants.memory_gb)
        if known > 16:
            return True
        return False if self.memory_complete else None


def cluster_figures(
    chips: Iterable[tuple[Chip, int]], constants: H100Constants = TREATY_H100
) -> ClusterFigures:
    """Sum the chips of a cluster; counts are positive integers. Raises InvalidInput otherwise."""
    items = list(chips)
    for chip, count in items:
        if count < 1:
            raise InvalidInput(f"{count} is not a count of chips", path=chip.name)
    rates = (c.fp16_flop_per_s_under(constants) * n for c, n in items)
    memories = (c.memory_gb * n for c, n in items if c.memory_gb is not None)
    return ClusterFigures(
        constants=constants,
        chips=sum(count for _, count in items),
        fp16_flop_per_s=sum(rates, Fraction(0)),
        tpp=sum((c.tpp_under(constants) * n for c, n in items), Fraction(0)),
        known_memory_gb=sum(memories, Fraction(0)),
        memory_complete=all(c.memory_gb is not None for c, _ in items),
        fastest_flop_per_s=sum(c.fastest_peak_flop_per_s * n for c, n in items),
    )


@lru_cache(maxsize=1)
def known_chips() -> ChipTable:
    """The table that ships with Sekisho: part of the code, read once."""
    text = resources.files("sekisho.model").joinpath("chips.csv").read_text(encoding="utf-8")
    return parse_chip_table(text, file="chips.csv")


def faster_name(one: str, other: str, table: ChipTable | None = None) -> str:
    """Of two names that one device was given, that of the faster chip; a known name over an unknown one.

    Whoever names an H100 a T4, once or from then on, does not lower its peak so. Where nothing decides, the first.
    """
    if one == other or not other:
        return one
    chips = table or known_chips()
    first, second = chips.find(one), chips.find(other)
    if first is None or second is None:
        return one if one and (first is not None or second is None) else other
    faster = second.fastest_peak_flop_per_s > first.fastest_peak_flop_per_s
    return other if faster else one


def parse_chip_table(text: str, *, file: str) -> ChipTable:
    """Read a chip table in the columns of `chips.csv`. Raises InvalidInput with file and line."""
    lines = [
        (n, line)
        for n, line in enumerate(text.splitlines(), 1)
        if line and not line.startswith("#")
    ]
    rows = list(csv.reader([line for _, line in lines], strict=True))
    if not rows or rows[0] != _COLUMNS:
        raise InvalidInput("the columns are not those of chips.csv", path=file)
    chips = []
    for (number, _), row in zip(lines[1:], rows[1:], strict=True):
        if len(row) != len(_COLUMNS):
            raise InvalidInput(
                f"{len(row)} fields instead of {len(_COLUMNS)}", path=f"{file}:{number}"
            )
        chips.append(_chip(dict(zip(_COLUMNS, row, strict=True)), f"{file}:{number}"))
    return ChipTable(chips)


def _chip(row: dict[str, str], path: str) -> Chip:
    peaks = {
        name: int(_positive(row[column], path) * _TERA)
        for name, column in _PEAK_COLUMNS.items()
        if row[column]
    }
    if not row["name"] or not peaks:
        raise InvalidInput("a chip needs a name and at least one peak", path=path)
    return Chip(
        name=row["name"],
        vendor=row["vendor"],
        released=row["released"],
        peaks=peaks,
        memory_gb=_positive(row["memory_gb"], path) if row["memory_gb"] else None,
        die_mm2=_positive(row["die_mm2"], path) if row["die_mm2"] else None,
        bandwidth_gbs=_positive(row["bandwidth_gbs"], path) if row["bandwidth_gbs"] else None,
        interconnect_gbs=_positive(row["interconnect_gbs"], path)
        if row["interconnect_gbs"]
        else None,
        datacenter=row["datacenter"] == "yes",
        marks={
            field: mark for mark, _, field in (item.partition(":") for item in row["marks"].split())
        },
        aliases=tuple(row["aliases"].split("|")) if row["aliases"] else (),
    )


def _positive(text: str, path: str) -> Fraction:
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", text) or Fraction(text) == 0:
        raise InvalidInput(f"{text[:40]!r} is not a positive decimal", path=path)
    return Fraction(text)


# Words that an inventory adds and that tell no two chips of the table apart.
_NOISE = re.compile(
    "nvidia|amd|intel|google|cloud|aws|amazon|microsoft|azure|huawei|meta|baidu|biren|cambricon|habana|tesla"
    "|geforce|radeon|instinct|[hd]gx|r|tm|c|ai|accelerator|gpu|per|tensor|core|hbm[23]e?|gddr[67]"
)
# Words that name a maker of chips; clouds are not among them, since they let out other makers' chips.
_MAKERS = {
    "nvidia": "NVIDIA",
    "geforce": "NVIDIA",
    "amd": "AMD",
    "radeon": "AMD",
    "instinct": "AMD",
    "intel": "Intel",
    "habana": "Intel",
    "huawei": "Huawei",
    "baidu": "Baidu",
    "biren": "Biren",
    "cambricon": "Cambricon",
    "meta": "Meta",
}
_MEMORY = re.compile(r"\b([0-9]{1,4})\s*gi?b\b")


def _is_from_another_maker(name: str, chip: Chip) -> bool:
    """A maker is named, and it is not the chip's."""
    named = {
        _MAKERS[word] for word in re.findall(r"[a-z]+", name[:200].casefold()) if word in _MAKERS
    }
    return bool(named) and chip.vendor not in named


def _key_and_memory(name: str) -> tuple[str, Fraction | None]:
    """A name without makers, marks, punctuation and memory size; and the memory size it stated."""
    text = name[:200].casefold()
    memory = _MEMORY.search(text)
    words = re.findall(r"[a-z0-9]+", _MEMORY.sub(" ", text))
    key = "".join(word for word in words if not _NOISE.fullmatch(word))
    return key, Fraction(memory.group(1)) if memory and int(memory.group(1)) else None
