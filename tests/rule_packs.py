"""Small packs as text, for tests of deciding."""

from __future__ import annotations

from sekisho.rules import Pack, parse_pack

__all__ = ["FLAGS", "NOTICE", "exception_text", "pack_text", "rule_text", "small_pack", "status"]

# Flags that a pack asks for by names of its own: a request states them under `facts`.
FLAGS = ("a", "b", "c", "d")
_CITED = "source: law, cite: Art. 1, mark: P"


def status(start: str = "2020-01-01", word: str = "in force", **more: object) -> str:
    """One entry of a rule's status; `acts` is true if nothing else is said."""
    told = {"acts": "true", "source": "law", "cite": "Art. 1", "mark": "P", **more}
    extra = "".join(f", {name.replace('_', '-')}: {value}" for name, value in told.items())
    return f"{{from: {start}, status: {word}{extra}}}"


def pack_text(rules: str, *, more: str = "", name: str = "p") -> str:
    """A pack with four flags, the parameter `x` and these rules (and exceptions, definitions in `more`)."""
    flags = "".join(f"  {flag}: {{kind: flag, means: the flag {flag}}}\n" for flag in FLAGS)
    return (
        f"pack: {name}\nversion: '1'\ntitle: t\nnote: n\n"
        "sources:\n  law: {title: A law, where: nowhere, mark: P}\n"
        f"quantities:\n{flags}"
        "parameters:\n  x:\n    unit: FLOP\n    means: a threshold\n    values:\n"
        f"      - {{from: 2020-01-01, value: 1e24, {_CITED}}}\n"
        f"      - {{from: 2025-01-01, value: 1e23, {_CITED}}}\n"
        f"{more}rules:\n{rules}"
    )


def small_pack(*rules: str, more: str = "", name: str = "p") -> Pack:
    """The pack of these rules, each written by `rule_text` or by hand."""
    return parse_pack(pack_text("".join(rules), more=more, name=name), f"{name}.yaml")


def rule_text(name: str, outcome: str, when: str, *, statuses: str = "", more: str = "") -> str:
    """A rule about training runs; `when` is a flag's name or a condition."""
    condition = f"{{quantity: {when}, op: is, value: true}}" if when in FLAGS else when
    return (
        f"  - id: {name}\n    cite: Art. {name}\n    binding: b\n    for: [training-run]\n"
        f"    status: [{statuses or status()}]\n    when: {condition}\n"
        f"    outcome: {outcome}\n    duty: d\n{more}"
    )


def exception_text(name: str, lifts: str, *conditions: str, notices: str = "") -> str:
    """A licence exception whose conditions are flags."""
    rows = "".join(
        f"      - {{says: the flag {flag} is up, when: {{quantity: {flag}, op: is, value: true}}}}\n"
        for flag in conditions
    )
    return (
        f"  - id: {name}\n    cite: Art. {name}\n    title: exception {name}\n"
        f"    status: [{status()}]\n    lifts: [{lifts}]\n    eligibility:\n{rows}{notices}"
    )


NOTICE = "    notices:\n      - {id: tell, what: tell the authority, per: shipment}\n"
