"""What a charter's flags say: keys with who holds them, verifier keys with who owns them, profiles, quorums."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, get_args

from sekisho.cli.choices import parse_choice
from sekisho.cli.log_trust import checked_vkey
from sekisho.cli.own_key import load_public
from sekisho.cli.reading import read_input
from sekisho.model.errors import InvalidInput

if TYPE_CHECKING:
    from sekisho.ceremony import KeyChange
    from sekisho.model.instants import Instant
    from sekisho.model.statements import CharterKey, CharterWitness, Profile, Recovery
    from sekisho.signing import Charter

__all__ = [
    "parse_constituencies",
    "parse_instant_flag",
    "parse_key_id",
    "parse_member",
    "parse_profile",
    "parse_recovery",
    "parse_replacement",
    "parse_vkey",
    "parse_witness",
]

_MAX_VKEY = 4096


def parse_profile(word: str) -> Profile:
    """One of the four. Raises InvalidInput naming the flag."""
    from sekisho.model.statements import Profile

    return parse_choice(word, get_args(Profile), path="--profile", noun="profile")


def parse_member(text: str, flag: str) -> tuple[str, CharterKey]:
    """CONSTITUENCY:ORGANISATION:HOLDER:FILE, the file read."""
    parts = _parts(text, 4)
    if parts is None:
        raise InvalidInput(
            f"{text[:80]!r} is not CONSTITUENCY:ORGANISATION:HOLDER:FILE",
            path=flag,
            remedy="write authority:Ministry:Deputy director:alice.pub",
        )
    return parts[0], _held(*parts[1:])


def parse_constituencies(texts: list[str], flag: str) -> dict[str, list[CharterKey]]:
    """The members by constituency, in the order given."""
    found: dict[str, list[CharterKey]] = {}
    for text in texts:
        constituency, key = parse_member(text, flag)
        found.setdefault(constituency, []).append(key)
    return found


def parse_recovery(texts: list[str], k: int, notice_days: int) -> Recovery | None:
    """The recovery keys as ORGANISATION:HOLDER:FILE each, k of them needed; None where none is given."""
    from sekisho.model.statements import Recovery
    from sekisho.model.wire import from_json, to_plain

    if not texts:
        if k:
            raise InvalidInput("needs the keys: --recovery-key", path="--recovery-quorum")
        return None
    if not 0 < k <= len(texts):
        raise InvalidInput(
            f"{k} of {len(texts)} recovery keys", path="--recovery-quorum", remedy="give 1 to all"
        )
    keys = []
    for text in texts:
        parts = _parts(text, 3)
        if parts is None:
            raise InvalidInput(
                f"{text[:80]!r} is not ORGANISATION:HOLDER:FILE", path="--recovery-key"
            )
        keys.append(_held(*parts))
    terms = {"keys": to_plain(keys), "k": k, "notice_days": notice_days}
    return from_json(Recovery, terms, path="--recovery-notice")


def parse_key_id(charter: Charter, text: str, flag: str) -> str:
    """A charter key's id: given whole, by its beginning, or by the file of its public part."""
    from sekisho.ceremony import find_key

    if Path(text).is_file():
        text = load_public(text).key_id
    return find_key(charter, text, path=flag)


def parse_replacement(charter: Charter, text: str, flag: str) -> KeyChange:
    """OLD=FILE for the same holder's next key, OLD=ORGANISATION:HOLDER:FILE for another holder."""
    from sekisho.ceremony import KeyChange

    old, equals, rest = text.partition("=")
    if not (old and equals and rest):
        raise InvalidInput(
            f"{text[:80]!r} is not OLD=FILE",
            path=flag,
            remedy="write 1f2e3d4c=new.pub, or 1f2e3d4c=Ministry:Deputy director:new.pub",
        )
    key_id = parse_key_id(charter, old, flag)
    parts = _parts(rest, 3)
    if parts is None:
        organisation, holder = charter.holder_of(key_id) or ("", "")
        parts = [organisation, holder, rest]
    return KeyChange(old=key_id, new=_held(*parts))


def parse_instant_flag(text: str, flag: str) -> Instant:
    """An instant as statements write it. Raises InvalidInput naming the flag."""
    from sekisho.model.instants import parse_instant

    try:
        return parse_instant(text)
    except InvalidInput as error:
        raise InvalidInput(error.message, path=flag, remedy="write 2027-04-01T00:00:00Z") from None


def parse_vkey(text: str, flag: str) -> tuple[str, str]:
    """ORGANISATION:VKEY, the verifier key as text or as a file with that text."""
    from sekisho.signing.notes import VerifierKey

    owner, colon, given = text.partition(":")
    if not (owner and colon and given):
        raise InvalidInput(f"{text[:80]!r} is not ORGANISATION:VKEY", path=flag)
    if given.count("+") < 2:
        given = read_input(given, limit=_MAX_VKEY).decode("utf-8", "replace").strip()
    return owner, VerifierKey.from_text(checked_vkey(given, flag), path=flag).to_text()


def parse_witness(text: str, flag: str) -> CharterWitness:
    """A witness by its cosigner key; its name is the key's own."""
    from sekisho.model.statements import CharterWitness

    owner, vkey = parse_vkey(text, flag)
    return CharterWitness(name=vkey.split("+", 1)[0], vkey=vkey, owner=owner)


def _parts(text: str, count: int) -> list[str] | None:
    parts = text.split(":", count - 1)
    return parts if len(parts) == count and all(parts) else None


def _held(organisation: str, holder: str, file: str) -> CharterKey:
    from sekisho.model.statements import CharterKey

    public = load_public(file).to_text()
    return CharterKey(public=public, organisation=organisation, holder=holder)
