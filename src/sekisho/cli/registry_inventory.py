"""`sekisho registry import`, `map` and `reconcile`: what firms have as tables, held against what the register holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
import typer

from sekisho.catalogue import Language, say
from sekisho.cli.answer import Answer, AsJson, deliver, verdict_code, worst_code
from sekisho.cli.durations import parse_length
from sekisho.cli.inventory_tables import (
    MOST_ROWS,
    Gathered,
    kind_of,
    listening,
    open_file,
    open_mapped,
)
from sekisho.cli.plain_text import tame
from sekisho.cli.progress import bar
from sekisho.cli.surroundings import HomeFolder, home_in, language_of
from sekisho.model.errors import InvalidInput
from sekisho.model.wire import to_plain

if TYPE_CHECKING:
    from sekisho.app import Home
    from sekisho.registry.reading.columns import ColumnMapping, Proposal
    from sekisho.registry.reading.csv_tables import CsvTable
    from sekisho.registry.reading.declared import DeclaredItem, DeclaredRow
    from sekisho.registry.reading.differences import Difference
    from sekisho.registry.reading.drafts import DraftKind
    from sekisho.registry.reading.reconcile import Reconciliation

__all__ = ["add_to"]

_DRAFTS: Final[Mapping[str, DraftKind]] = {
    "ship": "shipping",
    "receive": "receiving",
    "count": "stock_taking",
}

TableFile = Annotated[
    str, typer.Argument(metavar="F", help="A packing list or asset register as CSV; - for input.")
]
MappingFile = Annotated[
    str, typer.Option("--mapping", help="Which column is which: a file that `map` wrote.")
]
KindName = Annotated[
    str, typer.Option("--as", metavar="KIND", help="packing-list or asset-register.")
]
SiteName = Annotated[str, typer.Option("--site", help="The site, where a row names none.")]
EncodingName = Annotated[
    str, typer.Option("--encoding", help="utf-8, utf-8-sig, utf-16 or cp932; found if left out.")
]
DelimiterMark = Annotated[
    str, typer.Option("--delimiter", help="The mark between columns; found if left out.")
]


def add_to(app: typer.Typer) -> None:
    """Put this part's commands into the group."""
    app.command("import")(import_table)
    app.command("map")(map_columns)
    app.command()(reconcile)


def import_table(
    context: typer.Context,
    *,
    file: TableFile,
    mapping: MappingFile = "",
    kind: KindName = "",
    site: SiteName = "",
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep it in the home as the site's own declaration.")
    ] = False,
    draft: Annotated[
        str, typer.Option("--draft", metavar="OUT", help="Write EPCIS events to sign.")
    ] = "",
    act: Annotated[
        str, typer.Option("--act", help="What the draft says: ship, receive or count.")
    ] = "",
    party: Annotated[
        str, typer.Option("--party", help="Shipper or consignee where the table names none.")
    ] = "",
    encoding: EncodingName = "",
    delimiter: DelimiterMark = "",
    home: HomeFolder = "",
    as_json: AsJson = False,
) -> None:
    """Read a table row by row: what is taken, what is refused and why. Nothing is kept unless --keep is given."""
    if keep and not mapping:
        raise InvalidInput(
            "only a table whose columns were confirmed is kept",
            path="--mapping",
            remedy=f"sekisho registry map {file} --out M.json, look at it, then --mapping M.json",
        )
    language = language_of(context)
    table, columns = open_mapped(file, mapping, kind, encoding, delimiter)
    where = home_in(context, home)
    gathered = Gathered(limit=None if draft else MOST_ROWS)
    with bar(say("registry.import.bar", language)) as heard:
        _read_all(table, columns, site, listening(gathered.take, heard), where if keep else None)
    document: dict[str, object] = {
        "file": file,
        "encoding": table.encoding,
        "delimiter": table.delimiter,
        "kind": columns.kind,
        "mapping": columns,
        "confirmed": bool(mapping),
        "kept": keep,
        "taken": gathered.taken,
        "refused": gathered.refused,
        "rows": gathered.rows(),
    }
    lines = _imported(document, gathered, language)
    codes = [2 if gathered.refused else 0]
    if draft:
        act_kind = _draft_kind(act, columns)
        more, code = _draft(where, gathered.items, act_kind, party=party, out=draft)
        codes.append(code)
        document["draft"] = more
        lines.append(say("registry.import.draft", language, file=draft, **more))
    answer = Answer(document=to_plain(document), text="\n".join(lines), exit_code=worst_code(codes))
    deliver(answer, as_json=as_json)


def map_columns(
    context: typer.Context,
    *,
    file: TableFile,
    kind: KindName = "",
    name: Annotated[str, typer.Option("--name", help="What to call the mapping.")] = "",
    out: Annotated[str, typer.Option("--out", help="Write the mapping to this file.")] = "",
    encoding: EncodingName = "",
    delimiter: DelimiterMark = "",
    as_json: AsJson = False,
) -> None:
    """Propose which column is which, to look at, mend and keep. Swapped columns end with 2 and what would fit."""
    from sekisho.registry.reading.columns import SwappedColumns, propose_mapping, write_mapping

    language = language_of(context)
    table = open_file(file, encoding, delimiter)
    code, problem = 0, ""
    try:
        proposal = propose_mapping(table, name=name or Path(file).stem, kind=kind_of(kind))
        mapping = proposal.mapping
    except SwappedColumns as error:
        mapping, proposal, code, problem = error.proposed, None, 2, str(error)
    if out:
        _write_new(out, write_mapping(mapping))
    document = {
        "mapping": mapping,
        "encoding": table.encoding,
        "delimiter": table.delimiter,
        "unknown": () if proposal is None else proposal.unknown,
        "notes": () if proposal is None else proposal.notes,
        "problem": problem,
        "written": out,
    }
    text = _mapped(mapping, proposal, problem, language)
    deliver(Answer(document=to_plain(document), text=text, exit_code=code), as_json=as_json)


def reconcile(
    context: typer.Context,
    *,
    site: Annotated[str, typer.Option("--site", help="The site.")],
    declared: Annotated[
        str, typer.Option("--declared", metavar="F", help="A table beside those that are kept.")
    ] = "",
    mapping: MappingFile = "",
    kind: KindName = "",
    window: Annotated[
        str, typer.Option("--window", help="How old a report may be: 24h, 7d.")
    ] = "24h",
    csv: Annotated[str, typer.Option("--csv", metavar="OUT", help="Write a table too.")] = "",
    csv_encoding: Annotated[
        str, typer.Option("--csv-encoding", help="utf-8-sig or cp932.")
    ] = "utf-8-sig",
    home: HomeFolder = "",
    as_json: AsJson = False,
) -> None:
    """Declared against observed against registered: what differs at a site, with reasons and sources."""
    from sekisho.app.inventories import reconcile_home

    language = language_of(context)
    if csv_encoding not in ("utf-8-sig", "cp932"):
        raise InvalidInput(f"{csv_encoding!r} is none of utf-8-sig, cp932", path="--csv-encoding")
    gathered = Gathered(limit=None)
    if declared:
        table, columns = open_mapped(declared, mapping, kind, "", "")
        with bar(say("registry.import.bar", language)) as heard:
            _read_all(table, columns, site, listening(gathered.take, heard), None)
    found = reconcile_home(
        home_in(context, home),
        site,
        window_s=parse_length(window, path="--window"),
        declared=gathered.items,
    )
    if csv:
        _write_new(csv, _table_of(found, language, csv_encoding))
    refused = gathered.rows_refused()
    document = {**msgspec.structs.asdict(found), "refused": refused}
    lines = [_reconciled(found, language), *(_line(d, language) for d in found.differences)]
    lines += [_refused_line(row, language) for row in refused]
    code = worst_code([verdict_code(found.verdict), *([2] if refused else [])])
    deliver(
        Answer(document=to_plain(document), text="\n".join(lines), exit_code=code), as_json=as_json
    )


# --- acts ---------------------------------------------------------------------------------------------


def _read_all(
    table: CsvTable,
    columns: ColumnMapping,
    site: str,
    take: Callable[[DeclaredRow], None],
    kept_in: Home | None,
) -> None:
    """Every row told to `take`, and where a home is given kept there as the site's own."""
    if kept_in is not None:
        from sekisho.app.inventories import keep_table

        keep_table(kept_in, table, columns, site=site, heard=take)
        return
    from sekisho.registry.reading import read_lines

    for row in read_lines(table, columns, site=site):
        take(row)


def _draft_kind(act: str, columns: ColumnMapping) -> DraftKind:
    """What a draft says: the flag's word, else what a table of this kind usually says."""
    usual = "ship" if columns.kind == "packing-list" else "count"
    kind = _DRAFTS.get(act or usual)
    if kind is None:
        raise InvalidInput(f"{act!r} is no act", path="--act", remedy="ship, receive or count")
    return kind


def _draft(
    home: Home, items: Iterable[DeclaredItem], kind: DraftKind, *, party: str, out: str
) -> tuple[dict[str, object], int]:
    from sekisho.app.inventories import draft_table

    made = draft_table(home, items, kind, party=party)
    _write_new(out, made.document)
    left = made.left_out
    more = {"events": made.events, "items": made.items, "left_out": left[:MOST_ROWS]}
    return {**more, "out": len(left)}, 2 if left else 0


def _write_new(path: str, data: bytes) -> None:
    try:
        with Path(path).open("xb") as stream:
            stream.write(data)
    except FileExistsError:
        raise InvalidInput(
            "a file is already there", path=path, remedy="name another file"
        ) from None


# --- words ------------------------------------------------------------------------------------------------


def _imported(document: dict[str, object], gathered: Gathered, language: Language) -> list[str]:
    lines = [
        say(
            "registry.import.done",
            language,
            taken=gathered.taken,
            refused=gathered.refused,
            encoding=document["encoding"],
            kind=say(f"registry.table.{document['kind']}", language),
        )
    ]
    if not document["confirmed"]:
        lines.append(say("registry.import.proposed", language))
    if document["kept"]:
        lines.append(say("registry.import.kept", language))
    return lines + [_refused_line(row, language) for row in gathered.rows_refused()[:100]]


def _refused_line(row: dict[str, object], language: Language) -> str:
    return tame(say("registry.import.row", language, line=row["line"], error=row["error"]))


def _mapped(
    mapping: ColumnMapping, proposal: Proposal | None, problem: str, language: Language
) -> str:
    lines = [tame(problem)] if problem else []
    kind = say(f"registry.table.{mapping.kind}", language)
    lines.append(say("registry.map.proposed", language, kind=kind, line=mapping.headings_line))
    lines += [f"  {tame(column.heading)} = {column.field}" for column in mapping.columns]
    if proposal is not None and proposal.unknown:
        names = tame(", ".join(proposal.unknown))
        lines.append(say("registry.map.unknown", language, names=names))
    lines += [f"  {tame(note)}" for note in (proposal.notes if proposal is not None else ())]
    return "\n".join(lines)


def _reconciled(found: Reconciliation, language: Language) -> str:
    return say(
        f"registry.reconcile.{found.verdict}",
        language,
        site=tame(found.site),
        holds=found.holds,
        fails=found.fails,
        unverifiable=found.unverifiable,
    )


def _line(difference: Difference, language: Language) -> str:
    verdict = say(f"registry.reconcile.word.{difference.verdict}", language)
    code = say(f"inventory.code.{difference.code}", language)
    reasons = "; ".join(difference.reasons)
    sources = ", ".join(difference.sources)
    return tame(f"  {verdict}  {difference.item}  {code}: {reasons} [{sources}]")


def _table_of(found: Reconciliation, language: Language, encoding: str) -> bytes:
    from sekisho.registry.reading.csv_tables import write_csv

    columns = ("verdict", "code", "item", "epc", "model", "reasons", "sources")
    headings = [say(f"registry.reconcile.column.{column}", language) for column in columns]
    rows = [
        [
            difference.verdict,
            difference.code,
            difference.item,
            difference.epc,
            difference.model,
            "; ".join(difference.reasons),
            "; ".join(difference.sources),
        ]
        for difference in found.differences
    ]
    return write_csv([headings, *rows], encoding=encoding)
