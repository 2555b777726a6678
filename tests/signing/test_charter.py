from __future__ import annotations

import msgspec
import pytest

from sekisho.model.errors import InvalidInput, NotAuthorised
from sekisho.model.statements import CharterAdopted, Constituency, Power, PowerGrant, QuorumPart
from sekisho.model.wire import encode_base64
from sekisho.signing import Charter, CharterFault
from tests.factory import AUTHORITY, OPERATOR, VERIFIER, charter, signer

TERMS = charter()
CHARTER = Charter(TERMS, "0" * 64)
AUTHORITY_IDS = [key.public.key_id for key in AUTHORITY]
VERIFIER_IDS = [key.public.key_id for key in VERIFIER]


def changed(**fields: object) -> CharterAdopted:
    """The factory's charter with some fields replaced."""
    return msgspec.structs.replace(TERMS, **fields)


def with_grant(power: Power, *quorums: tuple[str, int]) -> CharterAdopted:
    """The charter with the quorums of one power replaced."""
    parts = tuple(QuorumPart(constituency=name, k=k) for name, k in quorums)
    rest = tuple(grant for grant in TERMS.powers if grant.power != power)
    return changed(powers=(*rest, PowerGrant(power=power, quorums=parts)))


def with_witnesses(k: int, f: int, *vkeys: str) -> CharterAdopted:
    """The charter with other witnesses, named w1, w2 and so on."""
    known = TERMS.log.witnesses[0]
    witnesses = tuple(
        msgspec.structs.replace(known, name=f"w{n}", vkey=vkey) for n, vkey in enumerate(vkeys, 1)
    )
    log = msgspec.structs.replace(
        TERMS.log, witnesses=witnesses, witness_quorum=k, witness_faults=f
    )
    return changed(log=log)


def vkey(number: int) -> str:
    """A verifier key whose key is `number`."""
    return f"w{number}.example+00000000+{encode_base64(bytes([4] + [number] * 32))}"


def test_the_drafted_charter_is_sound_and_names_every_power() -> None:
    """The authority profile's draft keeps all rules of a charter, and gives each power of the protocol to somebody."""
    for grant in TERMS.powers:
        assert CHARTER.keys_of(grant.power)
    assert CHARTER.grant_of("pause") is not None
    assert CHARTER.constituency_of(VERIFIER_IDS[0]) == "verifiers"
    assert CHARTER.constituency_of("0" * 64) is None
    assert CHARTER.holder_of(OPERATOR.public.key_id) == ("Operator", "operator 1")
    assert CHARTER.holder_of("0" * 64) is None


def test_a_power_asks_for_all_of_its_quorums() -> None:
    """Three of five authority keys and one of two verifier keys make a pause; either alone does not."""
    assert CHARTER.verify_power("pause", frozenset([*AUTHORITY_IDS[:3], VERIFIER_IDS[1]])).is_met
    for signers in (
        AUTHORITY_IDS,
        VERIFIER_IDS,
        [*AUTHORITY_IDS[:2], *VERIFIER_IDS],
        [OPERATOR.public.key_id, *AUTHORITY_IDS],
        [],
    ):
        with pytest.raises(NotAuthorised, match="the power pause is not met"):
            CHARTER.verify_power("pause", frozenset(signers))


def test_the_standing_says_who_is_missing() -> None:
    """A signer reads how many keys are still asked for, and of whom."""
    standing = CHARTER.standing("pause", frozenset(AUTHORITY_IDS[:2]))
    assert standing.parts == (("authority", 2, 3), ("verifiers", 0, 1))
    assert standing.in_words() == "authority 2 of 3, verifiers 0 of 1"
    nobody = Charter(
        changed(
            powers=tuple(g for g in TERMS.powers if g.power != "cap"),
            registers=tuple(r for r in TERMS.registers if r.power != "cap"),
        ),
        "0" * 64,
    )
    assert not nobody.standing("cap", frozenset(AUTHORITY_IDS)).is_met
    assert "nobody" in nobody.standing("cap", frozenset()).in_words()
    assert nobody.keys_of("cap") == []


def test_a_quorum_of_more_keys_than_there_are_is_refused() -> None:
    """Six of five, or one of nobody, could never be met."""
    for quorums in ((("authority", 6), ("verifiers", 1)), (("authority", 3), ("nobody", 1))):
        with pytest.raises(CharterFault, match="asks"):
            Charter(with_grant("cap", *quorums), "0" * 64)


def test_a_power_that_names_one_constituency_twice_is_refused() -> None:
    """Two quorums of one constituency are not two constituencies."""
    with pytest.raises(CharterFault, match="twice"):
        Charter(with_grant("pause", ("authority", 3), ("authority", 2)), "0" * 64)


def test_a_power_granted_twice_is_refused() -> None:
    """Of two grants a reader could take the weaker."""
    weaker = PowerGrant(power="cap", quorums=(QuorumPart(constituency="operators", k=1),))
    with pytest.raises(CharterFault, match="granted twice"):
        Charter(changed(powers=(*TERMS.powers, weaker)), "0" * 64)


@pytest.mark.parametrize("profile", ["authority", "international"])
@pytest.mark.parametrize("power", ["pause", "resume", "amend", "publish-agent"])
def test_a_public_profile_asks_two_constituencies_for(profile: str, power: Power) -> None:
    """One constituency alone may not pause, resume, amend or publish agents; nor may nobody."""
    one = msgspec.structs.replace(with_grant(power, ("authority", 5)), profile=profile)
    with pytest.raises(CharterFault, match=f"two constituencies for {power}"):
        Charter(one, "0" * 64)
    left = tuple(g for g in TERMS.powers if g.power != power)
    with pytest.raises(CharterFault, match=power):
        Charter(changed(profile=profile, powers=left, registers=()), "0" * 64)


def test_inside_one_company_one_constituency_may_do() -> None:
    """The internal profile leaves it to the company."""
    one = msgspec.structs.replace(with_grant("pause", ("authority", 2)), profile="internal")
    assert Charter(one, "0" * 64).standing("pause", frozenset(AUTHORITY_IDS[:2])).is_met


@pytest.mark.parametrize(
    ("k", "f", "n"), [(1, 0, 2), (2, 0, 4), (2, 1, 3), (3, 3, 4), (3, 1, 2), (2, 2, 2)]
)
def test_a_witness_quorum_too_small_is_refused(k: int, f: int, n: int) -> None:
    """Without k > n/2 and 2k - n > f a fork could be witnessed on both sides."""
    with pytest.raises(CharterFault, match="witnesses cannot exclude a fork"):
        Charter(with_witnesses(k, f, *(vkey(i) for i in range(1, n + 1))), "0" * 64)


@pytest.mark.parametrize(("k", "f", "n"), [(1, 0, 1), (2, 1, 2), (2, 0, 3), (3, 1, 4), (4, 2, 5)])
def test_a_witness_quorum_that_excludes_forks_is_accepted(k: int, f: int, n: int) -> None:
    """The smallest sound quorums."""
    sound = with_witnesses(k, f, *(vkey(i) for i in range(1, n + 1)))
    assert Charter(sound, "0" * 64).terms.log.witness_quorum == k


def test_a_register_for_a_power_that_nobody_has_is_refused() -> None:
    """A register without its power could hold no valid order."""
    powers = tuple(g for g in TERMS.powers if g.power != "hold")
    with pytest.raises(CharterFault, match="hold"):
        Charter(changed(powers=powers), "0" * 64)


def test_two_registers_with_one_name_or_for_one_power_and_jurisdiction_are_refused() -> None:
    """Orders are numbered in one place per power and jurisdiction."""
    first = TERMS.registers[0]
    with pytest.raises(CharterFault, match="one name"):
        Charter(changed(registers=(first, first)), "0" * 64)
    twin = msgspec.structs.replace(first, name="hold/other")
    with pytest.raises(CharterFault, match="one power in one jurisdiction"):
        Charter(changed(registers=(first, twin)), "0" * 64)
    abroad = msgspec.structs.replace(first, name="hold/GB", jurisdiction="GB")
    both = Charter(changed(registers=(first, abroad)), "0" * 64)
    assert both.terms.registers == (first, abroad)


def test_two_constituencies_with_one_name_are_refused() -> None:
    """A quorum names its constituency, so the name must be one."""
    twin = Constituency(name="authority", keys=TERMS.constituencies[1].keys)
    with pytest.raises(InvalidInput, match="one name"):
        Charter(changed(constituencies=(*TERMS.constituencies, twin)), "0" * 64)


def test_a_key_that_is_none_is_refused_by_its_constituency() -> None:
    """The error says in whose list the bad key stands."""
    broken = msgspec.structs.replace(TERMS.constituencies[2].keys[0], public="A" * 44)
    operators = Constituency(name="operators", keys=(broken,))
    with pytest.raises(InvalidInput, match=r"constituencies\.operators"):
        Charter(changed(constituencies=(*TERMS.constituencies[:2], operators)), "0" * 64)
    assert signer("x").public.key_id not in CHARTER.keys
