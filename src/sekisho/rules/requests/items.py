"""The item of a transfer: a chip of the table or by its data sheet, a computer that holds such, or model weights.

A field that is left out is a missing fact: it is never read as zero or no. Amounts are decimal strings.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Final, Literal, TypeAlias

import msgspec

from sekisho.model.statements.shapes import FlopText
from sekisho.rules.requests.shapes import Asked, Contradiction, Country, DecimalText, is_above

__all__ = [
    "FORMAT_BITS",
    "ChipSpec",
    "DieSpec",
    "Form",
    "ItemAsked",
    "SyntheticData",
    "WeightsAsked",
]

Form: TypeAlias = Literal["ic", "computer", "hbm", "weights", "other"]
# The columns of peaks with the bit length of their multiplication (3A090 Technical Notes 1 to 3).
FORMAT_BITS: Final[Mapping[str, int]] = {
    "fp32_dense_tflops": 32,
    "tf32_dense_tflops": 32,
    "fp16_dense_tflops": 16,
    "fp8_dense_tflops": 8,
    "int8_dense_tops": 8,
    "fp6_dense_tflops": 6,
    "fp4_dense_tflops": 4,
    "int4_dense_tops": 4,
}


class DieSpec(Asked, frozen=True, kw_only=True):
    """One logic die of a package, or one processing unit: its dense peaks by format, and its area.

    A `planar` die counts for TPP, its area not for performance density; `count` is how many such dies there are.
    """

    fp32_dense_tflops: DecimalText | None = None
    tf32_dense_tflops: DecimalText | None = None
    fp16_dense_tflops: DecimalText | None = None
    fp8_dense_tflops: DecimalText | None = None
    fp6_dense_tflops: DecimalText | None = None
    fp4_dense_tflops: DecimalText | None = None
    int8_dense_tops: DecimalText | None = None
    int4_dense_tops: DecimalText | None = None
    die_mm2: DecimalText | None = None
    planar: bool = False
    count: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1

    def __post_init__(self) -> None:
        _refuse_no_area(self.die_mm2, "die_mm2")


class ChipSpec(DieSpec, frozen=True, kw_only=True):
    """A chip by its data sheet, in the columns of the public chip table; `dies` where the sheet tells them apart.

    The peaks of the whole package stand in the columns, or each die's under `dies`: not both. Dense figures, two
    operations a multiply-accumulate (15 CFR 774 Supp. 1, 3A090 Technical Notes). `stack_mm2` is the package or stack
    area of a high-bandwidth memory.
    """

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)] = "as specified"
    vendor: Annotated[str, msgspec.Meta(max_length=200)] | None = None
    release_date: Annotated[str, msgspec.Meta(max_length=20)] | None = None
    dies: Annotated[tuple[DieSpec, ...], msgspec.Meta(max_length=64)] = ()
    mem_bw_gbs: DecimalText | None = None
    memory_gb: DecimalText | None = None
    interconnect_bidir_gbs: DecimalText | None = None
    datacenter: bool | None = None
    hbm: bool | None = None
    stack_mm2: DecimalText | None = None
    designer_country: Country | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        _refuse_no_area(self.stack_mm2, "stack_mm2")
        if self.count != 1:
            raise Contradiction(
                "a sheet speaks of one chip", path="count", remedy="count its dies under `dies`"
            )
        if self.dies:
            self._check_package()

    def _check_package(self) -> None:
        both = [name for name in (*FORMAT_BITS, "die_mm2") if getattr(self, name) is not None]
        if self.planar:
            both.append("planar")
        if both:
            raise Contradiction(
                "stands for the whole package although `dies` tells the dies apart",
                path=both[0],
                remedy="write it under each die, or leave `dies` out",
            )


def _refuse_no_area(area: str | None, name: str) -> None:
    if area is not None and not is_above(area, 0):
        raise Contradiction(
            "0 is no area", path=name, remedy="leave it out where the area is unknown"
        )


class SyntheticData(Asked, frozen=True, kw_only=True):
    """Unpublished data that one model generated, and that the weights were trained on (4E091 Technical Note 3).

    `training_flop` are the operations that trained on it, `generation_flop` those that generated it,
    `generator_flop` those that trained the model that generated it; `generator_in_lineage` says that these are among
    the weights' own training operations already.
    """

    training_flop: FlopText | None = None
    generation_flop: FlopText | None = None
    generator_flop: FlopText | None = None
    generator_published: bool | None = None
    generator_in_lineage: bool | None = None


_SYNTHETIC: Final = (
    "synthetic_training_flop",
    "synthetic_generation_flop",
    "synthetic_generator_flop",
    "synthetic_generator_published",
)


class WeightsAsked(Asked, frozen=True, kw_only=True):
    """Model weights that go abroad, or into another's hands (ECCN 4E091): what their training cost.

    `base_*` speak of the model from which they were derived, `added_flop` of what the derivation added. Unpublished
    data that a model generated stands in the four `synthetic_*` fields where it was one model, else each model's in
    `synthetic`; without any such data `synthetic_training_flop` is "0".
    """

    training_flop: FlopText | None = None
    published: bool | None = None
    base_published: bool | None = None
    base_flop: FlopText | None = None
    added_flop: FlopText | None = None
    synthetic_training_flop: FlopText | None = None  # operations that trained on such data
    synthetic_generation_flop: FlopText | None = None  # operations that generated it
    synthetic_generator_flop: FlopText | None = None  # training operations of its generator
    synthetic_generator_published: bool | None = None
    synthetic: Annotated[tuple[SyntheticData, ...], msgspec.Meta(max_length=100)] | None = None
    below_most_advanced_published: bool | None = None  # 4E091 Note 2

    def __post_init__(self) -> None:
        single = [name for name in _SYNTHETIC if getattr(self, name) is not None]
        if self.synthetic is not None and single:
            raise Contradiction(
                "stands beside `synthetic`, which tells each generator apart",
                path=single[0],
                remedy="write it into `synthetic`, or leave `synthetic` out",
            )
        self._check_parts()

    def _check_parts(self) -> None:
        """What is a part of the training cannot be more than the training."""
        if self.training_flop is None:
            return
        several = sum(int(data.training_flop or 0) for data in self.synthetic or ())
        parts = (
            ("added_flop", int(self.added_flop or 0)),
            ("synthetic_training_flop", int(self.synthetic_training_flop or 0)),
            ("synthetic", several),
            ("base_flop", int(self.base_flop or 0) + int(self.added_flop or 0)),
        )
        for name, part in parts:
            if part > int(self.training_flop):
                raise Contradiction(
                    "more than all training operations",
                    path=name,
                    remedy="correct it or `training_flop`, which counts all of them",
                )


class ItemAsked(Asked, frozen=True, kw_only=True):
    """The item: a chip of the table or by its data sheet, by itself or inside a computer; or weights.

    `form` "computer" is a computer, assembly or component that holds `chips_each` such chips (4A090); "hbm" a memory
    stack by its sheet. `eccn` is the entry under which the item falls otherwise (3A001, 5A992...), for the .z
    paragraphs. `datacenter`: designed or marketed for data centres; left out it is as the table or the sheet says.
    """

    form: Form = "ic"
    chip: Annotated[str, msgspec.Meta(min_length=1, max_length=200)] | None = None
    spec: ChipSpec | None = None
    chips_each: Annotated[int, msgspec.Meta(ge=1, le=10**6)] = 1
    datacenter: bool | None = None
    designer_country: Country | None = None
    eccn: Annotated[str, msgspec.Meta(pattern=r"^[0-9][A-E][0-9]{3}(?!\n)$")] | None = None
    weights: WeightsAsked | None = None

    def __post_init__(self) -> None:
        form = self.form
        if self.chips_each != 1 and form not in _HOLDS_CHIPS:
            raise Contradiction(
                f"form {form!r} holds no chips", path="chips_each", remedy="leave it out"
            )
        if form == "weights":
            _refuse_beside(self, ("chip", "spec"), "weights")
            if self.weights is None:
                raise Contradiction(
                    "form 'weights' needs them",
                    path="weights",
                    remedy="write `weights`, empty if nothing is known of them",
                )
        elif self.weights is not None:
            _refuse_beside(self, ("weights",), form)
        if self.spec is not None:
            self._check_spec(self.spec)
        elif form == "hbm" and self.chip is not None:
            raise Contradiction(
                "the table has no memory stacks", path="chip", remedy="write `spec`"
            )

    def _check_spec(self, spec: ChipSpec) -> None:
        if self.chip is not None:
            raise Contradiction(
                "`chip` and `spec` are two answers to one question",
                path="chip",
                remedy="name a chip of the table, or write its data sheet",
            )
        if spec.hbm is not None and spec.hbm != (self.form == "hbm"):
            raise Contradiction(
                f"form {self.form!r} is contradicted by the sheet",
                path="spec.hbm",
                remedy="a memory stack is form 'hbm', and nothing else is",
            )
        computing = _computing(spec) if self.form == "hbm" else ""
        if computing:
            raise Contradiction(
                "a memory stack does not compute",
                path=f"spec.{computing}",
                remedy="what computes is form 'ic', whatever memory stands on it",
            )
        for name in ("datacenter", "designer_country"):
            own, sheet = getattr(self, name), getattr(spec, name)
            if own is not None and sheet is not None and own != sheet:
                raise Contradiction(
                    f"the sheet says otherwise: {str(sheet).lower()[:5]}",
                    path=name,
                    remedy=f"correct `{name}` or `spec.{name}`",
                )


_HOLDS_CHIPS: Final = ("computer", "other")


def _computing(spec: ChipSpec) -> str:
    """The first peak above nothing on the sheet, "" where there is none."""
    units = (("", spec), *((f"dies[{n}].", die) for n, die in enumerate(spec.dies)))
    peaks = ((f"{at}{name}", getattr(unit, name)) for at, unit in units for name in FORMAT_BITS)
    return next((path for path, peak in peaks if is_above(peak, 0)), "")


def _refuse_beside(item: ItemAsked, names: Iterable[str], form: str) -> None:
    for name in names:
        if getattr(item, name) is not None:
            raise Contradiction(
                f"form {form!r} has none",
                path=name,
                remedy="leave it out, or correct `form`",
            )
