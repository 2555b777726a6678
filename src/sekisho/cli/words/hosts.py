"""A host's enrolment in words: every field that is signed, and what it would change of the enrolment in force."""

from __future__ import annotations

from collections import Counter

from sekisho.cli.durations import when_in_words
from sekisho.cli.plain_text import quote, tame
from sekisho.cli.words.page import Page, names
from sekisho.model.amounts import format_flop_short, parse_flop
from sekisho.model.errors import InvalidInput, VerificationError
from sekisho.model.statements import EnrolledDevice, HostEnrolled, TpmEnrolled
from sekisho.model.wire import sha256_hex
from sekisho.signing import PublicKey

__all__ = ["describe_host"]

_COMPARED = (
    "organisation",
    "site",
    "jurisdiction",
    "counter",
    "driver",
    "agent",
    "canary",
)


def describe_host(page: Page, fact: HostEnrolled, digest: str) -> None:
    """Every field; with a log at hand, what differs from the enrolment in force; with a charter, whose TPM it is."""
    page.title = page.say("show.kind.host-enrolled")
    page.add("host", tame(fact.host))
    page.add("key", _key_id(fact.public))
    page.add("drafted", when_in_words(fact.effective, page.view.now, page.view.language))
    page.tell(
        "place",
        "enrolled.place",
        site=tame(fact.site),
        jurisdiction=fact.jurisdiction,
        organisation=quote(fact.organisation),
    )
    chips = Counter(device.chip for device in fact.devices)
    listed = names(f"{count} x {chip}" for chip, count in sorted(chips.items()))
    page.tell("devices", "enrolled.devices", count=len(fact.devices), chips=listed)
    for device in fact.devices:
        page.add("device", f"{tame(device.device)}: {_device(page, device)}")
    page.tell("counter", f"enrolled.counter.{fact.counter}")
    page.add("driver", fact.driver)
    page.add("agent", fact.agent)
    if fact.canary is not None:
        page.add("canary", tame(fact.canary))
    if fact.tpm is not None:
        _describe_tpm(page, fact.tpm)
    _describe_tier(page, fact)
    _describe_change(page, fact, digest)


def _device(page: Page, device: EnrolledDevice) -> str:
    """A device without its name: two of the same words are the same in every field."""
    memory = f"{device.memory_bytes:,}" if device.memory_bytes is not None else "-"
    text = page.say(
        "show.enrolled.device",
        chip=quote(device.chip),
        short=format_flop_short(parse_flop(device.peak_flop_per_s)),
        flop=device.peak_flop_per_s,
        basis=page.say(f"show.enrolled.basis.{device.basis}"),
        memory=memory,
        spki=_key_id(device.public) if device.public is not None else "-",
    )
    return f"{text}{page.say('show.enrolled.emulated')}" if device.emulated else text


def _key_id(public: str) -> str:
    """The key's id; the text itself where it is no key, which no log would take."""
    try:
        return PublicKey.from_text(public).key_id
    except InvalidInput:
        return quote(public)


def _describe_tpm(page: Page, tpm: TpmEnrolled) -> None:
    page.tell(
        "tpm",
        "enrolled.tpm",
        index=f"{tpm.counter_index:#010x}",
        name=tpm.attestation_name[4:20],
        certificates=len(tpm.endorsement),
    )
    page.tell(
        "tpm",
        "enrolled.tpm_keys",
        attestation=sha256_hex(tpm.attestation.encode()),
        name=tpm.attestation_name,
        counter=tpm.counter_name,
    )
    for certificate in tpm.endorsement:
        page.tell("tpm", "enrolled.tpm_certificate", digest=sha256_hex(certificate.encode()))


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


def _describe_change(page: Page, fact: HostEnrolled, digest: str) -> None:
    """Against the host's enrolment in force: each difference is loud, since a signer may take it for a mere renewal."""
    state = page.view.footing.state
    page.data["difference"] = None
    if state is None:
        page.tell("change", "change.unknown")
        return
    if digest in state.regime.spoken:
        page.tell("change", "enrolled.logged")
        return
    held = state.regime.hosts.get(fact.host)
    if held is None:
        page.data["difference"] = []
        page.tell("change", "enrolled.new", host=tame(fact.host))
        return
    page.tell("change", "enrolled.again", host=tame(fact.host))
    rows = _differences(page, held, fact)
    page.data["difference"] = rows
    if not rows:
        page.tell("change", "enrolled.same")
    for row in rows:
        page.warn(f"host-{row['what']}", **{k: v for k, v in row.items() if k != "what"})


def _differences(page: Page, held: HostEnrolled, fact: HostEnrolled) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = []
    if held.public != fact.public:
        rows.append(_row("key", "public", _key_id(held.public), _key_id(fact.public)))
    before = {device.device: device for device in held.devices}
    after = {device.device: device for device in fact.devices}
    for name in [*before, *(name for name in after if name not in before)]:
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        was, becomes = _device(page, old) if old else "-", _device(page, new) if new else "-"
        what = "device-new" if old is None else "device-gone" if new is None else "device"
        rows.append(_row(what, tame(name), was, becomes))
    for name in _COMPARED:
        pair = (getattr(held, name), getattr(fact, name))
        if pair[0] != pair[1]:
            rows.append(_row("field", name, *(quote(v) if v else "-" for v in pair)))
    if held.tpm != fact.tpm:
        rows.append(_row("field", "tpm", _tpm_name(held.tpm), _tpm_name(fact.tpm)))
    return rows


def _row(what: str, item: str, before: str, after: str) -> dict[str, str]:
    return {"what": what, "item": item, "before": before, "after": after}


def _tpm_name(tpm: TpmEnrolled | None) -> str:
    return f"{tpm.attestation_name} / {tpm.counter_name}" if tpm is not None else "-"
