"""A comparison as one static page: charts with their tables, no scripts, nothing fetched, in one language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sekisho.catalogue import Language, say
from sekisho.rules.what_if.changes import CHANGES
from sekisho.rules.what_if.charts import render_charts
from sekisho.rules.what_if.comparison import Diff
from sekisho.rules.what_if.svg import escape
from sekisho.rules.what_if.tables import Table, render_tables
from sekisho.rules.what_if.words import count_text, side_text

__all__ = ["render_page", "summary_lines"]

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_STYLE = (
    ":root{color-scheme:light dark}body{font:16px/1.6 system-ui,sans-serif;max-width:72rem;margin:2rem auto;"
    "padding:0 1rem}table{border-collapse:collapse;margin:1rem 0;font-size:.9rem}"
    "td,th{border:1px solid #8c959f;padding:.2rem .5rem;text-align:right;vertical-align:top}"
    ".t{text-align:left}td.t{overflow-wrap:anywhere;min-width:5rem}svg{max-width:100%;height:auto}figure{margin:1rem 0}"
    ".wide{overflow-x:auto}"
)


def summary_lines(diff: Diff, language: Language) -> tuple[str, ...]:
    """What was compared and how much changed, in a few lines."""
    changed = sum(diff.changed(change) for change in CHANGES)
    counts = say(
        "what-if.counts",
        language,
        requests=count_text(diff.requests),
        changed=count_text(changed),
        refused=count_text(diff.refused),
    )
    same = count_text(diff.same_answer_other_rules)
    return (
        side_text("A", diff.a, language),
        side_text("B", diff.b, language),
        counts,
        say("what-if.other-rules", language, count=same),
    )


def render_page(diff: Diff, language: Language) -> str:
    """The whole page as HTML."""
    charts = render_charts(diff, language)
    title = escape(say("what-if.title", language))
    body = "\n".join(_body(diff, charts, language))
    return (
        f'<!doctype html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{title}</h1>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _body(diff: Diff, charts: Mapping[str, str], language: Language) -> Iterator[str]:
    for told in (*summary_lines(diff, language), say("what-if.limits", language)):
        yield f"<p>{escape(told)}</p>"
    for table in render_tables(diff, language):
        yield f'<section aria-labelledby="h-{table.name}">'
        yield f'<h2 id="h-{table.name}">{escape(table.title)}</h2>'
        named = [table.name] if table.name != "margins" else []
        for name in named or [name for name in charts if name.startswith("margin-")]:
            if name in charts:
                yield f"<figure>{charts[name]}</figure>"
        yield _table(table)
        if table.note:
            yield f"<p>{escape(table.note)}</p>"
        yield "</section>"


def _table(table: Table) -> str:
    head = "".join(
        _cell("th", cell, n < table.texts, ' scope="col"') for n, cell in enumerate(table.head)
    )
    rows = "\n".join(
        "<tr>" + "".join(_cell("td", cell, n < table.texts) for n, cell in enumerate(row)) + "</tr>"
        for row in table.rows
    )
    return (
        f'<div class="wide" tabindex="0" role="region" aria-labelledby="h-{table.name}">'
        f'<table aria-labelledby="h-{table.name}"><thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{rows}\n</tbody></table></div>"
    )


def _cell(tag: str, content: str, is_text: bool, more: str = "") -> str:
    side = ' class="t"' if is_text else ""
    return f"<{tag}{more}{side}>{escape(content)}</{tag}>"
