"""How many stolen keys a false pause needs, and how many a false resume: counted by force and by the charter's sums.

"A false pause by signature is as hard as a false resume": in every profile's draft, and by a warning in every other
charter. What silence does is no matter of keys: `charter show` prints it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sekisho.model.errors import NotAuthorised
from sekisho.model.statements import (
    CharterAdopted,
    CharterKey,
    Constituency,
    OrderReference,
    Power,
    PowerGrant,
    Profile,
    QuorumPart,
)
from sekisho.signing import Charter, Ed25519Signer, Recorded, Regime
from sekisho.signing.key_counts import easier_than_resume, keys_needed, organisations_needed
from sekisho.signing.profiles import constituencies_of, draft_charter
from tests import factory as f

PROFILES: tuple[Profile, ...] = ("internal", "provider", "authority", "international")
RESTRICTING: tuple[Power, ...] = ("pause", "cap", "suspend-access")
_COMPARED: tuple[Power, ...] = ("pause", "resume")
LIFTED = OrderReference(register="pause/JP", number=1, digest="2" * 64)


class Regimen(msgspec.Struct, frozen=True):
    """A charter with every key that it names, each with its organisation."""

    terms: CharterAdopted
    keys: dict[str, tuple[Ed25519Signer, str]]


def regimen(profile: Profile, *, spare: int = 1) -> Regimen:
    """A profile's own draft, with as many keys as it asks at least and some to spare; each constituency one owner."""
    keys: dict[str, tuple[Ed25519Signer, str]] = {}
    groups: dict[str, list[CharterKey]] = {}
    for name, least in constituencies_of(profile).items():
        for n in range(least + spare):
            key = f.signer(f"{profile} {name} {n}")
            keys[key.public.key_id] = key, f"{name} society"
            groups.setdefault(name, []).append(
                CharterKey(
                    public=key.public.to_text(), organisation=f"{name} society", holder=f"{n}"
                )
            )
    example = f.charter()
    terms = draft_charter(
        profile=profile,
        name="Counted regime",
        jurisdiction="JP",
        constituencies=groups,
        log=example.log,
        now=f.NOW,
    )
    return Regimen(terms, keys)


def stolen(keys: dict[str, tuple[Ed25519Signer, str]]) -> Iterator[tuple[Ed25519Signer, ...]]:
    """Every set of keys that a thief may hold, the small ones first."""
    signers = [key for key, _ in keys.values()]
    for size in range(1, len(signers) + 1):
        yield from combinations(signers, size)


def fewest_by_force(made: Regimen, kind: str) -> tuple[int, int]:
    """The fewest keys, and the fewest organisations, whose real signatures make an order that a host would verify."""
    root = f.signed(made.terms, *(key for key, _ in made.keys.values()))
    regime = Regime.start(root.digest, f.LOG.public)
    regime = regime.after(Recorded(index=0, leaf="0" * 64, verified=regime.verify(root.raw)))
    lifts = (LIFTED,) if kind == "resume" else ()
    effects = {
        "pause": "freeze",
        "cap": "cap",
        "resume": "lift",
        "suspend-access": "suspend-access",
    }
    order = msgspec.structs.replace(
        f.order_issued(kind=kind, effect=effects[kind], charter_digest=root.digest, lifts=lifts),
        cap_percent=1 if kind == "cap" else None,
    )
    fewest = least_owners = len(made.keys) + 1
    for thieves in stolen(made.keys):
        owners = len({made.keys[key.public.key_id][1] for key in thieves})
        if len(thieves) >= fewest and owners >= least_owners:
            continue
        try:
            regime.verify(f.signed(order, *thieves).raw)
        except NotAuthorised:
            continue
        fewest, least_owners = min(fewest, len(thieves)), min(least_owners, owners)
    return fewest, least_owners


@pytest.mark.parametrize("profile", PROFILES)
def test_a_false_pause_takes_as_many_stolen_keys_as_a_false_resume(profile: Profile) -> None:
    """Every set of keys is tried with real signatures on the very fold that hosts, desk and auditor run."""
    made = regimen(profile, spare=0 if profile == "international" else 1)
    pause, resume = fewest_by_force(made, "pause"), fewest_by_force(made, "resume")
    assert pause[0] >= resume[0]
    assert pause[0] == keys_needed(made.terms, "pause")
    assert resume[0] == keys_needed(made.terms, "resume")
    assert pause[1] == organisations_needed(made.terms, "pause")
    assert resume[1] == organisations_needed(made.terms, "resume")
    assert easier_than_resume(made.terms) == ()


@pytest.mark.parametrize("profile", ["provider", "authority", "international"])
def test_a_false_pause_takes_as_many_organisations_as_a_false_resume(profile: Profile) -> None:
    """Where a regime has more than one side, no side pauses alone what two must release."""
    made = regimen(profile)
    pause = organisations_needed(made.terms, "pause")
    assert pause is not None
    assert pause >= (organisations_needed(made.terms, "resume") or 0)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("kind", ["cap", "suspend-access"])
def test_a_false_cap_or_suspension_takes_as_many_keys_as_its_lifting(
    profile: Profile, kind: Power
) -> None:
    """A cap that leaves one percent is a pause by another name."""
    terms = regimen(profile).terms
    keys, resume = keys_needed(terms, kind), keys_needed(terms, "resume")
    assert keys is not None
    assert keys >= (resume or 0)


@pytest.mark.parametrize("profile", PROFILES)
def test_rewriting_the_charter_takes_no_fewer_keys_than_a_pause(profile: Profile) -> None:
    """Whoever may amend could give the power to pause to anybody: that way is no shorter."""
    terms = regimen(profile).terms
    assert (keys_needed(terms, "amend") or 0) >= (keys_needed(terms, "pause") or 0)


@st.composite
def charters(draw: st.DrawFn) -> CharterAdopted:
    """Small charters of the profile internal with any quorums for pause, resume and cap, and any owners of keys."""
    groups = []
    for name in ("red", "blue", "green")[: draw(st.integers(1, 3))]:
        count = draw(st.integers(1, 3))
        owners = draw(st.lists(st.sampled_from(("A", "B", "C")), min_size=count, max_size=count))
        keys = tuple(
            CharterKey(
                public=f.signer(f"{name} {n}").public.to_text(), organisation=owner, holder=f"{n}"
            )
            for n, owner in enumerate(owners)
        )
        groups.append(Constituency(name=name, keys=keys))
    powers: tuple[Power, ...] = ("amend", "pause", "resume", "cap", "hold", "suspend-access")
    grants = tuple(PowerGrant(power=power, quorums=draw(quorums(groups))) for power in powers)
    return msgspec.structs.replace(
        f.charter(),
        profile="internal",
        constituencies=tuple(groups),
        powers=grants,
        recovery=None,
    )


@st.composite
def quorums(draw: st.DrawFn, groups: list[Constituency]) -> tuple[QuorumPart, ...]:
    chosen = draw(st.lists(st.sampled_from(groups), min_size=1, unique_by=lambda g: g.name))
    return tuple(
        QuorumPart(constituency=g.name, k=draw(st.integers(1, len(g.keys)))) for g in chosen
    )


@given(charters())
@settings(max_examples=60)
def test_the_sums_are_what_trying_every_set_of_keys_gives(terms: CharterAdopted) -> None:
    """For any sound charter: fewest keys, fewest organisations, and a warning where pausing is easier."""
    charter = Charter(terms, "0" * 64)
    owners = {
        key_id: row.organisation
        for group in terms.constituencies
        for row in group.keys
        for key_id in charter.members_of(group.name)
        if charter.keys[key_id].to_text() == row.public
    }
    found: dict[str, tuple[int, int]] = {}
    for power in _COMPARED:
        making = [
            ids
            for size in range(1, len(owners) + 1)
            for ids in combinations(sorted(owners), size)
            if charter.standing(power, frozenset(ids)).is_met
        ]
        found[power] = (
            min(len(ids) for ids in making),
            min(len({owners[i] for i in ids}) for ids in making),
        )
        assert found[power] == (keys_needed(terms, power), organisations_needed(terms, power))
    warned = {row.power for row in easier_than_resume(terms)}
    assert ("pause" in warned) is (found["pause"][0] < found["resume"][0])


def test_a_power_that_nobody_has_takes_no_number_of_keys() -> None:
    """It cannot be forged, and nothing is compared with it."""
    terms = msgspec.structs.replace(f.charter(), powers=(), registers=())
    assert keys_needed(terms, "pause") is None
    assert organisations_needed(terms, "pause") is None
    assert easier_than_resume(terms) == ()
