"""What a founding needs, told to whoever types `sekisho charter init` and no more: an example for each profile."""

from __future__ import annotations

from typing import get_args

from sekisho.catalogue import Language, say

__all__ = ["example_of", "founding_guide"]


def founding_guide(language: Language) -> str:
    """What to have at hand, and a command for each profile."""
    from sekisho.ceremony import constituencies_of
    from sekisho.model.statements import Profile

    parts = [say("charter.init.guide", language)]
    for profile in get_args(Profile):
        groups = ", ".join(f"{name} {k}" for name, k in constituencies_of(profile).items())
        parts.append(say(f"charter.init.{profile}", language, groups=groups))
        parts.append(example_of(profile))
    return "\n\n".join(parts)


def example_of(profile: str) -> str:
    """A founding of this profile with as few keys as its quorums allow, as one would type it."""
    from sekisho.ceremony import constituencies_of
    from sekisho.cli.charter_flags import parse_profile

    lines = [f"sekisho charter init --profile {profile} --name 'Our regime' --jurisdiction JP"]
    for name, k in constituencies_of(parse_profile(profile)).items():
        held = f"{name}:{name.capitalize()}:holder"
        lines += [f"--key '{held} {n}:{name}-{n}.pub'" for n in range(1, k + 1)]
    lines.append("--log-key 'Operators:log.vkey'")
    lines += [f"--witness 'Witness {n}:witness-{n}.vkey'" for n in (1, 2)]
    lines += [f"--recovery-key 'Archive:safe {n}:recovery-{n}.pub'" for n in (1, 2, 3)]
    lines.append("--recovery-quorum 2 --out charter.json")
    return " \\\n    ".join(lines)
