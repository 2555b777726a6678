"""A host's enrolment in words: where it stands, with which devices, and what its counter is worth."""

from __future__ import annotations

from collections import Counter

from sekisho.cli.plain_text import tame
from sekisho.cli.words.page import Page, names
from sekisho.model.errors import InvalidInput, VerificationError
from sekisho.model.statements import HostEnrolled, TpmEnrolled

__all__ = ["describe_host"]


def describe_host(page: Page, fact: HostEnrolled, _: str) -> None:
    """Where charter and chain are at hand, whether the maker of its TPM answers for it."""
    page.title = page.say("show.kind.host-enrolled")
    page.add("host", tame(fact.host))
    page.tell(
        "place",
        "enrolled.place",
        site=tame(fact.site),
        jurisdiction=fact.jurisdiction,
        organisation=tame(fact.organisation),
    )
    chips = Counter(device.chip for device in fact.devices)
    listed = names(f"{count} x {chip}" for chip, count in sorted(chips.items()))
    page.tell("devices", "enrolled.devices", count=len(fact.devices), chips=listed)
    page.tell("counter", f"enrolled.counter.{fact.counter}")
    page.add("driver", fact.driver)
    if fact.tpm is not None:
        _describe_tpm(page, fact.tpm)
    _describe_tier(page, fact)


def _describe_tpm(page: Page, tpm: TpmEnrolled) -> None:
    page.tell(
        "tpm",
        "enrolled.tpm",
        index=f"{tpm.counter_index:#010x}",
        name=tpm.attestation_name[4:20],
        certificates=len(tpm.endorsement),
    )


def _describe_tier(page: Page, fact: HostEnrolled) -> None:
    charter = page.view.footing.charter
    if charter is None:
        return
    from sekisho.inspection.tpm import check_tier

    try:
        endorsement = check_tier(fact, charter.terms.tpm_roots)
    except (InvalidInput, VerificationError) as error:
        page.warn("not-endorsed", why=tame(str(error)))
        return
    if endorsement is not None:
        page.tell(
            "maker",
            "enrolled.maker",
            maker=tame(endorsement.maker),
            model=tame(endorsement.model),
            version=tame(endorsement.version),
            root=endorsement.root[:16],
        )
