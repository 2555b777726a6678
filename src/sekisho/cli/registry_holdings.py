"""`sekisho registry chips`, `holdings`, `clusters`: what a home's register holds, found and added up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sekisho.catalogue import Language, say
from sekisho.cli.answer import Answer, AsJson, deliver, verdict_code
from sekisho.cli.plain_text import tame
from sekisho.cli.surroundings import language_of, settings_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sekisho.app import Papers
    from sekisho.model.chips import H100Constants
    from sekisho.model.custody import Standing
    from sekisho.registry.clusters import Cluster, Clusters, Limb
    from sekisho.registry.holdings import Holdings, Range, Share, Unmeasured

__all__ = ["HomeOfRegister", "add_to", "papers_of"]

HomeOfRegister = Annotated[
    str, typer.Option("--home", help="The home with the register; SEKISHO_HOME if left out.")
]


def add_to(app: typer.Typer) -> None:
    """Put this part's commands into the group."""
    app.command()(chips)
    app.command()(holdings)
    app.command()(clusters)


@contextmanager
def papers_of(context: typer.Context, home: str) -> Iterator[Papers]:
    """The papers of the home that the flags name; read beside whatever runs on it."""
    from sekisho.app import Elsewhere, Home, open_papers

    settings = settings_of(context)
    folder = Path(home).expanduser() if home else settings.home
    elsewhere = Elsewhere(database=settings.database)
    with open_papers(Home(path=folder, elsewhere=elsewhere)) as papers:
        yield papers


def chips(
    context: typer.Context,
    *,
    text: Annotated[
        str, typer.Argument(metavar="[TEXT]", help="EPC or how it begins, serial, device key.")
    ] = "",
    model: Annotated[str, typer.Option("--model", help="Only this model.")] = "",
    party: Annotated[str, typer.Option("--party", help="Custodian, holder or owner.")] = "",
    site: Annotated[str, typer.Option("--site", help="Only at this place.")] = "",
    state: Annotated[str, typer.Option("--state", help="Only in this state.")] = "",
    after: Annotated[str, typer.Option("--after", help="Go on behind this EPC.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=500, help="Rows at most.")] = 50,
    home: HomeOfRegister = "",
    as_json: AsJson = False,
) -> None:
    """Find chips and components by what stands on them, or by who has them."""
    from sekisho.app import Wanted

    wanted = Wanted(text=text, model=model, party=party, site=site, state=state)
    with papers_of(context, home) as papers:
        found = papers.search(wanted, after=after, limit=limit)
    language = language_of(context)
    document = {
        "chips": [_plain(standing) for standing in found.rows],
        "unregistered": found.unregistered,
        "next": found.following,
    }
    lines = [_row(standing, language) for standing in found.rows]
    lines += [
        f"{tame(epc)}  {say('chip.state.unregistered', language)}" for epc in found.unregistered
    ]
    if found.following:
        lines.append(say("registry.chips.more", language, epc=tame(found.following)))
    none = say("registry.chips.none", language)
    deliver(Answer(document=document, text="\n".join(lines) or none), as_json=as_json)


def holdings(
    context: typer.Context,
    *,
    by: Annotated[str, typer.Option("--by", help="site, custodian, owner or country.")] = "site",
    home: HomeOfRegister = "",
    as_json: AsJson = False,
) -> None:
    """H100 equivalents and counts by site, custodian, owner or country; unknown models are not measured."""
    with papers_of(context, home) as papers:
        found = papers.holdings(by)
    text = "\n".join(_holdings_text(found, language_of(context)))
    code = verdict_code(found.total.verdict)
    deliver(Answer(document=_holdings(found), text=text, exit_code=code), as_json=as_json)


def clusters(context: typer.Context, *, home: HomeOfRegister = "", as_json: AsJson = False) -> None:
    """Covered clusters: more than 16 H100 equivalents in one network, by rate, TPP or memory."""
    with papers_of(context, home) as papers:
        found = papers.clusters()
    text = "\n".join(_clusters_text(found, language_of(context)))
    code = 3 if found.count("unverifiable") else 0
    deliver(Answer(document=_clusters(found), text=text, exit_code=code), as_json=as_json)


def _plain(value: object) -> Any:
    from sekisho.model.wire import to_plain

    return to_plain(value)


def _rounded(value: Fraction) -> str:
    from sekisho.registry.specs import rounded

    return rounded(value)


def _row(standing: Standing, language: Language) -> str:
    who = standing.identity
    words = (
        standing.epc,
        say(f"chip.state.{standing.state}", language),
        who.model,
        f"{who.maker}/{who.serial}",
        standing.custodian,
        " ".join(filter(None, (standing.site, standing.country))),
    )
    return "  ".join(tame(word) for word in words).rstrip()


def _range(figure: Range) -> dict[str, str]:
    """Both ends for reading and, exactly, for computing with."""
    return {
        "low": _rounded(figure.low),
        "high": _rounded(figure.high),
        "low_exact": str(figure.low),
        "high_exact": str(figure.high),
    }


def _unmeasured(items: Iterable[Unmeasured]) -> list[dict[str, object]]:
    return [
        {"model": item.model, "component": item.component, "count": item.count} for item in items
    ]


def _constants(constants: H100Constants) -> dict[str, object]:
    """What one H100 is taken to be; FLOP as text, as everywhere on the wire."""
    return {**_plain(constants), "flop_per_s": str(constants.flop_per_s)}


def _share(share: Share) -> dict[str, object]:
    return {
        "key": share.key,
        "h100e": _range(share.h100e),
        "components": share.components,
        "measured": share.measured,
        "missing": share.missing,
        "retired": share.retired,
        "unmeasured": _unmeasured(share.unmeasured),
        "verdict": share.verdict,
    }


def _holdings(found: Holdings) -> dict[str, object]:
    return {
        "by": found.by,
        "unit": "H100e",
        "constants": _constants(found.constants),
        "source": "chips.csv, register",
        "shares": [_share(share) for share in found.shares],
        "total": _share(found.total),
    }


def _say_range(figure: Range) -> str:
    low, high = _rounded(figure.low), _rounded(figure.high)
    return high if low == high else f"{low} - {high}"


def _holdings_text(found: Holdings, language: Language) -> list[str]:
    constants = found.constants
    unit = say("web.holdings.unit", language, tpp=constants.tpp, source=constants.source)
    lines = [unit]
    together = say("web.holdings.total", language)
    rows = [(tame(share.key) or "-", share) for share in found.shares]
    for key, share in [*rows, (together, found.total)]:
        said = f"  {key}: {_say_range(share.h100e)} H100e"
        said += f", {say('web.holdings.components', language)} {share.components}"
        lost = share.components - share.measured
        if lost:
            said += f", {say('web.holdings.unmeasured', language)} {lost}"
        if share.missing:
            said += f", {say('web.holdings.missing', language)} {share.missing}"
        if share.retired:
            said += f", {say('web.holdings.retired', language)} {share.retired}"
        lines.append(said)
    return lines


def _limb(limb: Limb) -> dict[str, object]:
    return {
        "name": limb.name,
        **_range(limb.figure),
        "unit": limb.unit,
        "limit": _rounded(limb.limit),
        "complete": limb.is_complete,
        "covers": limb.covers,
    }


def _cluster(cluster: Cluster) -> dict[str, object]:
    return {
        "network": cluster.network,
        "sites": cluster.sites,
        "chips": cluster.chips,
        "covered": cluster.covered,
        "limbs": [_limb(limb) for limb in cluster.limbs],
        "models": [{"model": model, "count": count} for model, count in cluster.models],
        "unmeasured": _unmeasured(cluster.unmeasured),
    }


def _clusters(found: Clusters) -> dict[str, object]:
    return {
        "constants": _constants(found.constants),
        "covered": found.count("covered"),
        "unverifiable": found.count("unverifiable"),
        "clusters": [_cluster(cluster) for cluster in found.clusters],
    }


def _clusters_text(found: Clusters, language: Language) -> list[str]:
    lines = [say("web.clusters.why", language, source=found.constants.source)]
    for cluster in found.clusters:
        word = cluster.covered.replace(" ", "-")
        name = tame(cluster.network) or say("web.clusters.nowhere", language)
        chips = f"{say('web.clusters.chips', language)} {cluster.chips}"
        lines.append(f"  {name}: {say(f'web.clusters.{word}', language)}, {chips}")
        for limb in cluster.limbs:
            covers = say(f"web.clusters.{limb.covers.replace(' ', '-')}", language)
            least = "" if limb.is_complete else f"{say('web.clusters.at-least', language)} "
            title = say(f"web.clusters.limb.{limb.name}", language)
            lines.append(
                f"    {title}: {least}{_say_range(limb.figure)} / {_rounded(limb.limit)} {limb.unit}, {covers}"
            )
    return lines
