"""Sensor elements: metadata and reports of measurements, with their types, times and units."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from sekisho.registry.epcis.extensions import read_extensions
from sekisho.registry.epcis.reading import FieldReader, Reading
from sekisho.registry.epcis.words import GS1, word_address

__all__ = ["METADATA_ORDER", "NUMBERS", "REPORT_ORDER", "read_sensors", "read_unit"]

_UNIT: Final = re.compile(r"[A-Z0-9]{2,3}")
_MEASURE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_\-]{0,63}")
_HEX: Final = re.compile(r"[0-9A-Fa-f]*")
METADATA_ORDER: Final = (
    "time startTime endTime deviceID deviceMetadata rawData dataProcessingMethod bizRules"
).split()
REPORT_ORDER: Final = (
    "type exception deviceID deviceMetadata rawData dataProcessingMethod time microorganism chemicalSubstance value "
    "component stringValue booleanValue hexBinaryValue uriValue minValue maxValue meanValue sDev percRank percValue "
    "uom coordinateReferenceSystem bizRules"
).split()

NUMBERS: Final = ("value", "minValue", "maxValue", "meanValue", "sDev", "percRank", "percValue")


def read_sensors(reading: Reading, value: Any, path: str) -> tuple[Any, ...]:
    """The sensor elements of an event. A report says its type or, where it only raises an alarm, its exception."""
    found = []
    for at, element in enumerate(reading.members(value, path)):
        where = f"{path}[{at}]"
        reports = element.get("sensorReport")
        if not isinstance(reports, list) or not reports:
            reading.fault(f"{where}.sensorReport", "is missing or empty; give at least one report")
            continue
        read: dict[str, Any] = {
            "sensorReport": [
                _report(reading, report, f"{where}.sensorReport[{number}]")
                for number, report in enumerate(reading.members(reports, f"{where}.sensorReport"))
            ]
        }
        if "sensorMetadata" in element:
            read["sensorMetadata"] = _part(
                reading, element["sensorMetadata"], _METADATA, f"{where}.sensorMetadata"
            )
        others = [name for name in element if name not in ("sensorReport", "sensorMetadata")]
        read |= read_extensions(reading, element, others, where)
        found.append(read)
    return tuple(found)


def read_unit(reading: Reading, value: Any, path: str) -> str:
    """A unit of measure: a code of UN/CEFACT recommendation 20, two or three capitals and digits."""
    if not isinstance(value, str) or not _UNIT.fullmatch(value):
        reading.fault(path, "is no unit code; write one of UN/CEFACT Rec. 20, such as KGM")
        return ""
    return value


def _report(reading: Reading, value: Mapping[str, Any], path: str) -> dict[str, Any]:
    read = _part(reading, value, _REPORT, path)
    if "type" not in value and "exception" not in value:
        reading.fault(f"{path}.type", "is missing; say what was measured")
    return read


def _part(
    reading: Reading, value: Any, fields: Mapping[str, FieldReader], path: str
) -> dict[str, Any]:
    if not isinstance(value, dict):
        reading.fault(path, "is no object; write { ... }")
        return {}
    read: dict[str, Any] = {}
    others = []
    for name, item in value.items():
        reader = fields.get(name)
        if reader is None:
            others.append(name)
        else:
            read[name] = reader(reading, item, f"{path}.{name}")
    return read | read_extensions(reading, value, others, path) if others else read


def _measure(reading: Reading, value: Any, path: str) -> str:
    """What a report measures: a bare name of GS1's vocabulary (its list grows, so it is not checked) or an address."""
    if isinstance(value, str) and _MEASURE.fullmatch(value):
        return GS1 + value
    return reading.uri(value, path)


def _exception(reading: Reading, value: Any, path: str) -> str:
    return word_address("exception", reading.word("exception", value, path))


def _component(reading: Reading, value: Any, path: str) -> str:
    return word_address("component", reading.word("component", value, path))


def _truth(reading: Reading, value: Any, path: str) -> bool:
    if not isinstance(value, bool):
        reading.fault(path, "is neither true nor false; write one, without quotes")
        return False
    return value


def _hexadecimal(reading: Reading, value: Any, path: str) -> str:
    text = reading.text(value, path)
    if len(text) % 2 or not _HEX.fullmatch(text):
        reading.fault(path, "is no hexadecimal; write two digits for each byte")
    return text


_URIS: Final[Mapping[str, FieldReader]] = dict.fromkeys(
    ("deviceID", "deviceMetadata", "rawData", "dataProcessingMethod", "bizRules"), Reading.uri
)
_METADATA: Final[Mapping[str, FieldReader]] = {
    **_URIS,
    **dict.fromkeys(("time", "startTime", "endTime"), Reading.moment),
}
_REPORT: Final[Mapping[str, FieldReader]] = {
    **_URIS,
    **dict.fromkeys(
        ("microorganism", "chemicalSubstance", "uriValue", "coordinateReferenceSystem"), Reading.uri
    ),
    **dict.fromkeys(NUMBERS, Reading.number),
    "type": _measure,
    "exception": _exception,
    "component": _component,
    "time": Reading.moment,
    "stringValue": Reading.text,
    "booleanValue": _truth,
    "hexBinaryValue": _hexadecimal,
    "uom": read_unit,
}
