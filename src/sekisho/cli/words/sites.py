"""An order by site in lines and rows: hosts and devices by degree, and until when that may be said."""

from __future__ import annotations

from sekisho.catalogue import say
from sekisho.ceremony import SiteProgress
from sekisho.cli.durations import when_in_words
from sekisho.cli.plain_text import tame
from sekisho.cli.words.page import View

__all__ = ["site_row", "site_text"]


def site_row(site: SiteProgress) -> dict[str, object]:
    """One site as data; percentages are of its covered devices."""
    return {
        "site": site.site,
        "hosts": len(site.hosts),
        "devices": site.devices,
        "counts": {
            place: {
                "hosts": hosts,
                "devices": devices,
                "percent_of_devices": site.percent_at(place),
            }
            for place, (hosts, devices) in site.counts.items()
        },
        "holds_until": str(site.holds_until) if site.holds_until else None,
        "lapses": [
            {"host": row.host, "holds_until": str(row.holds_until)}
            for row in site.hosts
            if row.holds_until is not None
        ],
    }


def site_text(site: SiteProgress, view: View) -> str:
    """One site in one line, and a second one where a verdict runs out."""
    language = view.language
    parts = (
        say(
            "order.site.part",
            language,
            word=say(f"order.place.{place}", language),
            hosts=hosts,
            devices=devices,
            percent=site.percent_at(place),
        )
        for place, (hosts, devices) in site.counts.items()
    )
    line = say(
        "order.site",
        language,
        site=tame(site.site),
        hosts=len(site.hosts),
        devices=site.devices,
        parts="; ".join(parts),
    )
    if site.holds_until is None:
        return line
    until = when_in_words(site.holds_until, view.now, language)
    return f"{line}\n      {say('order.site.until', language, until=until)}"
