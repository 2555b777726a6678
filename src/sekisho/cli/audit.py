"""`sekisho audit`: check a bundle, a public folder or a log, trusting nobody."""

from __future__ import annotations

import sys
from pathlib import Path
from shutil import get_terminal_size
from typing import Annotated

import typer

from sekisho.cli.answer import Answer, AsJson, deliver, verdict_code
from sekisho.settings import Settings

__all__ = ["app"]


def app(
    context: typer.Context,
    *,
    path: Annotated[
        str, typer.Argument(help="A bundle's folder or tar, or a log's public folder.")
    ],
    policy: Annotated[
        Path | None, typer.Option("--policy", help="The trust root to audit by, as a JSON file.")
    ] = None,
    accept: Annotated[
        list[str] | None,
        typer.Option(
            "--accept", help="Take this unverifiable check on trust; may stand several times."
        ),
    ] = None,
    seen: Annotated[
        list[str] | None,
        typer.Option("--seen", help="A file with a checkpoint of this log that others saw."),
    ] = None,
    evidence: Annotated[
        Path, typer.Option("--evidence", help="Where evidence of a fork is written.")
    ] = Path(),
    as_json: AsJson = False,
) -> None:
    """Check evidence offline, in a process without network, by your own trust root."""
    from sekisho.auditor.main import AuditPlan, audit_apart

    settings: Settings = context.obj
    plan = AuditPlan(
        path=path,
        policy=policy,
        trust_file=settings.trust_file,
        accepted=tuple(accept or ()),
        language="en" if as_json else settings.language,
        seen=tuple(seen or ()),
        evidence_folder=evidence,
    )
    report = audit_apart(plan)
    text = ""
    if not as_json:
        from sekisho.auditor.rendering import render_report

        text = render_report(
            report,
            settings.language,
            colour=sys.stdout.isatty(),
            width=get_terminal_size((100, 24)).columns,
        )
    deliver(
        Answer(document=report, text=text, exit_code=verdict_code(report.verdict)), as_json=as_json
    )
