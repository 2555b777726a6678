"""The flags with which `charter init` founds the test regime."""

from __future__ import annotations

from tests.cli.ceremonies import KeyHolder

__all__ = ["founding"]


def founding(holder: KeyHolder, **changes: list[str]) -> list[str]:
    """The flags that found the test regime."""
    keys = [f"authority:Ministry:member {n}:{holder.public(f'authority-{n}')}" for n in range(1, 6)]
    keys += [f"verifiers:Institute:member {n}:{holder.public(f'verifier-{n}')}" for n in (1, 2)]
    keys += [f"operators:Operator:desk:{holder.public('operator-1')}"]
    first, second = (w.verifier.to_text() for w in holder.cast.witnesses)
    flags = {
        "--name": ["A regime"],
        "--jurisdiction": ["JP"],
        "--key": keys,
        "--log-key": [f"Operator:{holder.cast.log.verifier.to_text()}"],
        "--witness": [f"Institute:{first}", f"University:{second}"],
        "--profile": ["authority"],
        **{f"--{name.replace('_', '-')}": value for name, value in changes.items()},
    }
    return [word for flag, values in flags.items() for value in values for word in (flag, value)]
