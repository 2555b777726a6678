"""What part of the time the pipes of a device worked: GPM, from Hopper on.

GPM counts on the device between two samples, so an activity is an average over the interval and no burst between two
readings is missed, unlike a spot value.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

import pynvml as nvml  # type: ignore[import-untyped]  # it comes without types

__all__ = ["Activity"]

_MIB: Final = 1024 * 1024
_PERCENT: Final = 10_000  # in parts per million
# Metric, field, stored numbers to one of GPM's unit.
_METRICS: Final = (
    (nvml.NVML_GPM_METRIC_ANY_TENSOR_UTIL, "tensor_ppm", _PERCENT),
    (nvml.NVML_GPM_METRIC_SM_UTIL, "sm_active_ppm", _PERCENT),
    (nvml.NVML_GPM_METRIC_DRAM_BW_UTIL, "dram_ppm", _PERCENT),
    (nvml.NVML_GPM_METRIC_FP16_UTIL, "fp16_ppm", _PERCENT),
    (nvml.NVML_GPM_METRIC_FP32_UTIL, "fp32_ppm", _PERCENT),
    (nvml.NVML_GPM_METRIC_FP64_UTIL, "fp64_ppm", _PERCENT),
    (nvml.NVML_GPM_METRIC_PCIE_TX_PER_SEC, "pcie_tx", _MIB),
    (nvml.NVML_GPM_METRIC_PCIE_RX_PER_SEC, "pcie_rx", _MIB),
    (nvml.NVML_GPM_METRIC_NVLINK_TOTAL_TX_PER_SEC, "nvlink_tx", _MIB),
    (nvml.NVML_GPM_METRIC_NVLINK_TOTAL_RX_PER_SEC, "nvlink_rx", _MIB),
)


class Activity:
    """GPM's counters of a device, or of one slice of it by its GPU instance."""

    def __init__(self, device: Any, instance: int | None) -> None:
        self._device = device
        self._instance = instance
        self._samples: list[Any] = []
        self._has_one = False
        self.why = ""
        try:
            if not nvml.nvmlGpmQueryDeviceSupport(device).isSupportedDevice:
                self.why = "the device has no GPM (it came with Hopper)"
                return
            self._samples = [nvml.nvmlGpmSampleAlloc() for _ in range(2)]
            self._take(self._samples[0])
        except nvml.NVMLError as error:
            self.why = str(error)
            self.close()
            return
        self._has_one = True
        self._question = _question()

    @property
    def supported(self) -> bool:
        return self._has_one

    def read(self) -> Mapping[str, int]:
        """Averages since the last call. Metrics that the driver does not give for this device are absent."""
        if not self._has_one:
            return {}
        older, newer = self._samples
        self._take(newer)
        question = self._question
        question.sample1, question.sample2 = older, newer
        nvml.nvmlGpmMetricsGet(question)
        self._samples = [newer, older]
        return {
            name: round(answer.value * factor)
            for answer, (_, name, factor) in zip(question.metrics, _METRICS, strict=False)
            if answer.nvmlReturn == nvml.NVML_SUCCESS and answer.value >= 0
        }

    def close(self) -> None:
        for sample in self._samples:
            with suppress(nvml.NVMLError):  # the process ends
                nvml.nvmlGpmSampleFree(sample)
        self._samples = []
        self._has_one = False

    def _take(self, sample: Any) -> None:
        if self._instance is None:
            nvml.nvmlGpmSampleGet(self._device, sample)
        else:
            nvml.nvmlGpmMigSampleGet(self._device, self._instance, sample)


def _question() -> Any:
    question = nvml.c_nvmlGpmMetricsGet_t()
    question.version = nvml.NVML_GPM_METRICS_GET_VERSION
    question.numMetrics = len(_METRICS)
    for index, (metric, _, _) in enumerate(_METRICS):
        question.metrics[index].metricId = metric
    return question
