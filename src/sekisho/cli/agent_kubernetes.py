"""`sekisho agent webhook` and `sekisho agent kubernetes manifests|check|audit`: the gate of a Kubernetes cluster."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from sekisho.catalogue import Language, say, translate
from sekisho.cli.answer import Answer, AsJson, deliver, verdict_code, worst_code
from sekisho.cli.plain_text import columns, tame
from sekisho.cli.progress import bar
from sekisho.cli.surroundings import language_of

if TYPE_CHECKING:
    from sekisho.app.kubernetes import ClusterCheck, ClusterPlace, Stray

__all__ = ["add_to"]

Resources = Annotated[
    list[str] | None,
    typer.Option("--resource", help="Another name that devices are asked for by; * at its end."),
]
Exempt = Annotated[
    list[str] | None,
    typer.Option("--exempt", help="Another namespace whose pods may see devices unasked."),
]
Server = Annotated[str, typer.Option("--server", help="https://host:port; empty: this cluster.")]
TokenFile = Annotated[str | None, typer.Option("--token-file", help="Its bearer token.")]
CaFile = Annotated[str | None, typer.Option("--ca-file", help="Who signed its certificate.")]


class Rung(StrEnum):
    """The ladder's rungs, as far as a cluster's documents know them."""

    ADVISE = "advise"
    BLOCK_NEW = "block-new"
    DRAIN = "drain"
    FREEZE = "freeze"
    KILL = "kill"


def add_to(app: typer.Typer) -> None:
    """Put the commands under `sekisho agent`."""
    cluster = typer.Typer(no_args_is_help=True, help="The gate of a Kubernetes cluster.")
    cluster.command("manifests")(manifests)
    cluster.command("check")(check)
    cluster.command("audit")(audit)
    app.add_typer(cluster, name="kubernetes")
    app.command("webhook")(webhook)


def manifests(
    *,
    image: Annotated[str, typer.Option("--image", help="An image that holds this program.")],
    mode: Annotated[Rung, typer.Option("--mode", help="advise refuses nothing.")] = Rung.ADVISE,
    ca_bundle: Annotated[
        Path | None, typer.Option("--ca-bundle", help="PEM: who signs the webhook's certificate.")
    ] = None,
    kueue: Annotated[bool, typer.Option(help="Rights to hold Kueue's queues.")] = True,
    resource: Resources = None,
    exempt: Exempt = None,
) -> None:
    """Print all documents as YAML: kubectl apply -f takes them."""
    from sekisho.app.kubernetes import make_rules, write_manifests

    rules = make_rules(tuple(resource or ()), tuple(exempt or ()))
    text = write_manifests(image, rules, mode=mode.value, ca_file=ca_bundle, kueue=kueue)
    deliver(Answer(document=text, text=text.rstrip("\n")), as_json=False)


def check(
    context: typer.Context,
    *,
    server: Server = "",
    token_file: TokenFile = None,
    ca_file: CaFile = None,
    resource: Resources = None,
    exempt: Exempt = None,
    as_json: AsJson = False,
) -> None:
    """Say what holds in the cluster and what is missing."""
    from sekisho.app.kubernetes import check_gate, make_rules

    language = language_of(context)
    rules = make_rules(tuple(resource or ()), tuple(exempt or ()))
    with bar(say("gate.looking", language)):
        checks = check_gate(_place(server, token_file, ca_file), rules)
    deliver(_checked(checks, language), as_json=as_json)


def audit(
    context: typer.Context,
    *,
    server: Server = "",
    token_file: TokenFile = None,
    ca_file: CaFile = None,
    resource: Resources = None,
    exempt: Exempt = None,
    as_json: AsJson = False,
) -> None:
    """List accelerator pods that run without a licence, however they came in; nothing is changed."""
    from sekisho.app.kubernetes import find_strays, make_rules

    language = language_of(context)
    rules = make_rules(tuple(resource or ()), tuple(exempt or ()))
    with bar(say("gate.listing", language)):
        strays = find_strays(_place(server, token_file, ca_file), rules)
    deliver(_found(strays, language), as_json=as_json)


def webhook(
    *,
    gate: Annotated[Path, typer.Option("--gate", help="The picture that the agent shows.")],
    cert: Annotated[Path, typer.Option("--cert", help="PEM, read again when it changes.")],
    key: Annotated[Path, typer.Option("--key", help="PEM, read again when it changes.")],
    client_ca: Annotated[
        Path | None, typer.Option("--client-ca", help="Who must have signed the caller's own.")
    ] = None,
    bind: Annotated[str, typer.Option("--bind", help="An IP address.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535)] = 8443,
    advise: Annotated[bool, typer.Option("--advise", help="Refuse nothing, warn.")] = False,
    resource: Resources = None,
    exempt: Exempt = None,
) -> None:
    """Answer the API server's AdmissionReviews until told to leave."""
    from sekisho.agent.webhook import WebhookSettings, run_webhook
    from sekisho.app.kubernetes import make_rules

    rules = make_rules(tuple(resource or ()), tuple(exempt or ()))
    run_webhook(
        WebhookSettings(
            gate=gate,
            cert=cert,
            key=key,
            client_ca=client_ca,
            bind=bind,
            port=port,
            advise=advise,
            rules=rules,
        )
    )


def _place(server: str, token_file: str | None, ca_file: str | None) -> ClusterPlace:
    from sekisho.app.kubernetes import ClusterPlace

    return ClusterPlace(server=server, token_file=token_file, ca_file=ca_file)


def _checked(checks: tuple[ClusterCheck, ...], language: Language) -> Answer:
    code = worst_code(verdict_code(one.verdict) for one in checks)
    worst = next(v for v in ("fails", "unverifiable", "holds") if v in {c.verdict for c in checks})
    lines = []
    for one in checks:
        remedy = f"; {translate(one.remedy, language)}" if one.remedy else ""
        verdict = say(f"audit.verdict.{one.verdict}", language)
        told = f"{one.name}: {translate(one.detail, language)}{remedy}"
        lines.append(tame(f"{verdict}{' ' * (13 - columns(verdict))}{told}"))
    document = {"verdict": worst, "checks": [msgspec.to_builtins(one) for one in checks]}
    return Answer(document=document, text="\n".join(lines), exit_code=code)


def _found(strays: tuple[Stray, ...], language: Language) -> Answer:
    rows = [
        {"pod": one.called, "rule": one.rule, "node": one.node, "detail": one.detail}
        for one in strays
    ]
    lines = [tame(f"{row['rule']}: {row['detail']}") for row in rows]
    verdict = "fails" if strays else "holds"
    text = "\n".join(lines or [say("gate.no-strays", language)])
    return Answer(
        document={"verdict": verdict, "strays": rows}, text=text, exit_code=verdict_code(verdict)
    )
