"""The console's forms of rules: from fields as a browser sends them to the JSON of a request, and back into the form.

A field that is left empty is a missing fact: it is left out, never sent as nought or no.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, TypeAlias, get_args
from urllib.parse import parse_qsl

import msgspec
from litestar import Request as HttpRequest
from litestar.datastructures import State, UploadFile
from litestar.exceptions import HTTPException

from sekisho.model.amounts import parse_quantity
from sekisho.model.errors import InvalidInput
from sekisho.model.wire import canonical
from sekisho.rules import Request, parse_request
from sekisho.rules.requests.transfer import Activity, EndUse, Form
from sekisho.web.description import MAX_BODY
from sekisho.web.epcis_bodies import check_announced, read_bounded

__all__ = [
    "ACTIVITIES",
    "AUTHORISATIONS",
    "END_USES",
    "FORMS",
    "ORIGINS",
    "TABS",
    "Fields",
    "read_fields",
    "read_request",
    "read_truth",
]

TABS: Final = ("transfer", "training-run", "json")
ACTIVITIES: Final = get_args(Activity)
END_USES: Final = get_args(EndUse)
FORMS: Final = tuple(form for form in get_args(Form) if form != "weights")
ORIGINS: Final = ("scratch", "known", "unknown")
AUTHORISATIONS: Final = ("none", "universal", "national", "general")
_MOST_FIELDS: Final = 300
_TRUTHS: Final = {"yes": True, "no": False}
_PERCENT: Final = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,4})?) ?%", re.ASCII)
Facts: TypeAlias = Mapping[str, bool | str | list[str]]


class Fields(msgspec.Struct, frozen=True):
    """A form as it was sent: each field with its values, in order."""

    values: Mapping[str, tuple[str, ...]] = {}

    @classmethod
    def of(cls, pairs: Sequence[tuple[str, str]]) -> Fields:
        """From name and value as they stand in a body or an address."""
        found: dict[str, tuple[str, ...]] = {}
        for name, value in pairs:
            found[name] = (*found.get(name, ()), value)
        return cls(found)

    def text(self, name: str, default: str = "") -> str:
        """The field's first value without the space around it."""
        return self.values.get(name, (default,))[0].strip()

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of a field that may be sent several times, empty ones left out."""
        return tuple(value for value in self.values.get(name, ()) if value.strip())

    def only(self, *names: str) -> Fields:
        """Those of these names alone."""
        return Fields({name: values for name, values in self.values.items() if name in names})

    def pairs(self) -> list[tuple[str, str]]:
        """Name and value, as often as they were sent."""
        return [(name, value) for name, values in self.values.items() for value in values]


async def read_fields(request: HttpRequest[Any, Any, State], most: int = MAX_BODY) -> Fields:
    """A urlencoded body. Raises HTTPException 413 above `most` bytes, InvalidInput where it is no form."""
    check_announced(request, most)
    body = await read_bounded(request, most)
    try:
        pairs = parse_qsl(
            body.decode("utf-8"),
            keep_blank_values=True,
            max_num_fields=_MOST_FIELDS,
            errors="strict",
        )
    except ValueError as error:
        raise InvalidInput("is not a form in UTF-8", path="body") from error
    return Fields.of(pairs)


async def read_upload(
    request: HttpRequest[Any, Any, State], name: str, most: int
) -> tuple[Fields, bytes]:
    """A multipart form with one file: its texts, and the file's bytes, empty where none was chosen.

    Raises HTTPException 413 where the file is above `most` bytes.
    """
    form = await request.form()
    pairs = [(key, value) for key, value in form.multi_items() if isinstance(value, str)]
    upload = form.get(name)
    if not isinstance(upload, UploadFile):
        return Fields.of(pairs), b""
    data = await upload.read(most + 1)
    if len(data) > most:
        raise HTTPException(status_code=413)
    return Fields.of(pairs), data


def read_request(tab: str, fields: Fields, facts: Facts) -> Request:
    """The request that a form tells, with facts by the names that packs give them; JSON brings its own.

    Raises InvalidInput with the field's path, as the command line does.
    """
    if tab == "json":
        text = fields.text("json")
        if not text:
            raise InvalidInput("is empty", path="json", remedy="paste one request")
        return parse_request(text, path="json")
    if tab not in _BUILDERS:
        raise InvalidInput(f"there is no form {tab[:40]!r}", path="form")
    told = _BUILDERS[tab](fields)
    return parse_request(canonical({**told, "facts": dict(facts)} if facts else told))


def read_truth(text: str, path: str) -> bool:
    """Yes or no. Raises InvalidInput for another word: it must not be taken for silence."""
    if text not in _TRUTHS:
        raise InvalidInput(f"{text[:40]!r} is neither yes nor no", path=path)
    return _TRUTHS[text]


def _transfer(fields: Fields) -> dict[str, Any]:
    end_use = fields.all("end_use")
    return _told(
        kind="transfer",
        id="asked-here",
        activity=fields.text("activity"),
        item=_told(
            form=fields.text("item_form"),
            chip=fields.text("chip"),
            chips_each=_whole(fields, "chips_each"),
        ),
        count=_whole(fields, "count"),
        origin=fields.text("origin"),
        destination=fields.text("destination"),
        exporter=_party(fields, "exporter"),
        consignee=_party(fields, "consignee"),
        end_user=_party(fields, "end_user"),
        end_user_is_consignee=_truth(fields, "end_user_is_consignee"),
        end_use=list(end_use) if end_use else "",
    )


def _run(fields: Fields) -> dict[str, Any]:
    places = [part.strip() for part in fields.text("jurisdictions").split(",") if part.strip()]
    chips = _told(chip=fields.text("chip"), count=_whole(fields, "count"))
    cluster = _told(chips=[chips], networked=_truth(fields, "networked")) if "chip" in chips else {}
    return _told(
        kind="training-run",
        id="asked-here",
        jurisdictions=places or "",
        planned_flop=_flop(fields, "planned_flop"),
        origin=fields.text("run_origin"),
        lineage_flop=_flop(fields, "lineage_flop"),
        post_training=_truth(fields, "post_training"),
        cluster=cluster or "",
    )


_BUILDERS: Final[Mapping[str, Callable[[Fields], dict[str, Any]]]] = {
    "transfer": _transfer,
    "training-run": _run,
}


def _party(fields: Fields, name: str) -> dict[str, Any] | str:
    found = _told(
        name=fields.text(f"{name}_name"),
        country=fields.text(f"{name}_country"),
        headquarters=fields.text(f"{name}_headquarters"),
        parent_headquarters=fields.text(f"{name}_parent"),
        listed=_truth(fields, f"{name}_listed"),
        listed_owner_known=_truth(fields, f"{name}_owner_known"),
        listed_owner_share=_share(fields, f"{name}_owner_share"),
        authorisation=fields.text(f"{name}_authorisation"),
    )
    return found or ""


def _told(**values: Any) -> dict[str, Any]:
    """What was told: empty fields are left out."""
    return {name: value for name, value in values.items() if value not in ("", None)}


def _whole(fields: Fields, name: str) -> int | str:
    text = fields.text(name)
    if not text:
        return ""
    if not (text.isascii() and text.isdigit()) or len(text) > 15:
        raise InvalidInput(f"{text[:40]!r} is no count", path=name, remedy="write a whole number")
    return int(text)


def _flop(fields: Fields, name: str) -> str:
    text = fields.text(name)
    return str(parse_quantity(text, path=name)) if text else ""


def _truth(fields: Fields, name: str) -> bool | None:
    text = fields.text(name)
    return read_truth(text, name) if text else None


def _share(fields: Fields, name: str) -> str:
    """A part of one, also where it was written as a percentage."""
    text = fields.text(name)
    percent = _PERCENT.fullmatch(text)
    return f"{(Decimal(percent[1]) / 100).normalize():f}" if percent else text
