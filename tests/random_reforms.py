"""Random packs as documents, and random reforms of them that begin on a later day."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta
from typing import Any, TypeAlias

from hypothesis import strategies as st

from tests.written_packs import as_yaml

__all__ = ["FIRST", "STARTS", "bases", "reforms"]

Document: TypeAlias = dict[str, Any]
Drawn: TypeAlias = st.SearchStrategy[Any]
FIRST = date(2022, 1, 1)
STARTS = date(2026, 1, 1)
_FLOP = st.sampled_from(["1e22", "1e23", "1e24", "1e25", "1e26"])
_TPP = st.sampled_from(["1600", "2400", "4800", "5.92"])
_PLACES = st.lists(st.sampled_from(["CN", "HK", "JP", "AE", "US"]), min_size=1, unique=True)
_OPS = st.sampled_from([">", ">=", "<", "<=", "=", "!="])
_WORDS = st.sampled_from(["enforced", "in force", "codified", "announced", "suspended", "revoked"])
_OUTCOMES = st.sampled_from(["permit", "report", "licence", "deny", "unsure"])


def _limbs(definitions: tuple[str, ...]) -> Drawn:
    """Limbs that transfers and cloud contracts tell alike, and a fact that the pack asks for itself."""
    kinds: list[Drawn] = [
        st.fixed_dictionaries(
            {
                "quantity": st.just("cargo"),
                "op": _OPS,
                "unit": st.just("FLOP"),
                "parameter": st.just("limit"),
            }
        ),
        st.fixed_dictionaries(
            {
                "quantity": st.just("headquarters"),
                "op": st.sampled_from(["any-of", "all-of"]),
                "set": st.just("group"),
            }
        ),
        st.fixed_dictionaries(
            {"quantity": st.just("listed_party"), "op": st.just("is"), "value": st.booleans()}
        ),
        st.fixed_dictionaries(
            {
                "quantity": st.just("end_use"),
                "op": st.just("one-of"),
                "value": st.just(["military", "wmd"]),
            }
        ),
    ]
    if definitions:
        kinds.append(
            st.fixed_dictionaries({"definition": st.sampled_from(definitions), "is": st.booleans()})
        )
    return st.one_of(kinds)


def _trees(definitions: tuple[str, ...] = ()) -> Drawn:
    def larger(inner: Drawn) -> Drawn:
        parts = st.lists(inner, min_size=1, max_size=3)
        return st.one_of(
            parts.map(lambda found: {"all": found}),
            parts.map(lambda found: {"any": found}),
            inner.map(lambda found: {"not": found}),
        )

    return st.recursive(_limbs(definitions), larger, max_leaves=3)


def _histories(since: date, fields: Drawn, source: str, most: int = 2) -> Drawn:
    """Entries in order, each from a day of its own on or after `since`."""
    days = st.lists(st.integers(0, 700), min_size=1, max_size=most, unique=True).map(sorted)
    return st.tuples(days, st.lists(fields, min_size=most, max_size=most)).map(
        lambda drawn: [
            {
                "from": str(since + timedelta(days=day)),
                "source": source,
                "cite": "x",
                "mark": "O",
                **entry,
            }
            for day, entry in zip(drawn[0], drawn[1], strict=False)
        ]
    )


def _statuses(since: date, source: str) -> Drawn:
    entry = st.fixed_dictionaries({"status": _WORDS, "acts": st.booleans()})
    return _histories(since, entry, source)


def _values(since: date, source: str) -> Drawn:
    return _histories(since, st.fixed_dictionaries({"value": st.none() | _FLOP}), source)


def _members(since: date, source: str) -> Drawn:
    return _histories(since, st.fixed_dictionaries({"members": st.none() | _PLACES}), source)


def _meanings(since: date, source: str) -> Drawn:
    return _histories(since, st.fixed_dictionaries({"when": st.none() | _trees()}), source)


def _reviews(since: date, source: str) -> Drawn:
    entry = st.fixed_dictionaries(
        {"policy": st.sampled_from(["denial", "case-by-case", "approval"])},
        optional={"when": _trees()},
    )
    return _histories(since, entry, source)


def _rules(since: date, source: str, prefix: str) -> Drawn:
    rule = st.fixed_dictionaries(
        {
            "cite": st.just("x"),
            "binding": st.just("x"),
            "for": st.just(["transfer", "cloud-use"]),
            "status": _statuses(since, source),
            "when": _trees(("meant",)),
            "outcome": _OUTCOMES,
            "duty": st.just("x"),
        },
        optional={"reviews": _reviews(since, source)},
    )
    return st.lists(rule, min_size=1, max_size=2).map(
        lambda rules: [{"id": f"{prefix}-{n}", **rule} for n, rule in enumerate(rules)]
    )


def _exceptions(since: date, source: str, lifts: list[str], name: str) -> Drawn:
    exception = st.fixed_dictionaries(
        {
            "id": st.just(name),
            "cite": st.just("x"),
            "title": st.just("x"),
            "status": _statuses(since, source),
            "lifts": st.just(lifts),
            "eligibility": _trees(("meant",)).map(lambda when: [{"says": "x", "when": when}]),
        }
    )
    return st.lists(exception, max_size=1) if lifts else st.just([])


@st.composite
def bases(draw: st.DrawFn) -> Document:
    """A pack of transfers and cloud contracts, from 2022 on."""
    source = "law"
    document: Document = {
        "pack": "ground",
        "version": "1",
        "title": "x",
        "note": "x",
        "sources": {"law": {"title": "x", "where": "x", "mark": "P"}},
        "quantities": {"cargo": {"kind": "amount", "unit": "FLOP", "means": "x"}},
        "sets": {"group": {"means": "x", "versions": draw(_members(FIRST, source))}},
        "parameters": {
            "limit": {"unit": "FLOP", "means": "x", "values": draw(_values(FIRST, source))}
        },
        "definitions": {"meant": {"means": "x", "versions": draw(_meanings(FIRST, source))}},
        "rules": draw(_rules(FIRST, source, "old")),
    }
    if draw(st.booleans()):
        document["coverage"] = {"from": draw(st.sampled_from(["2022-01-01", "2023-06-01"]))}
    exceptions = draw(_exceptions(FIRST, source, _licences(document), "except"))
    return {**document, "exceptions": exceptions} if exceptions else document


@st.composite
def reforms(draw: st.DrawFn, base: Document) -> Document:
    """An overlay that touches whatever it may of `base`, each entry on or after 2026-01-01."""
    source = "bill"
    later = "2030-01-01"  # recorded after every entry of the base, so that days may coincide
    added = {
        "sets": {"group": {"versions": draw(_members(STARTS, source))}},
        "parameters": {"limit": {"values": draw(_values(STARTS, source))}},
        "definitions": {
            "above": {"means": "x", "versions": draw(_meanings(STARTS, source))},
            "meant": {"versions": draw(_meanings(STARTS, source))},
        },
        "quantities": {"other": {"kind": "flag", "means": "x"}},
        "rules": [
            *(
                {"id": rule["id"], "status": draw(_statuses(STARTS, source))}
                | draw(st.just({}) | st.builds(dict, reviews=_reviews(STARTS, source)))
                for rule in base["rules"]
            ),
            *draw(_rules(STARTS, source, "new")),
        ],
        "exceptions": [
            *(
                {"id": entry["id"], "status": draw(_statuses(STARTS, source))}
                for entry in base.get("exceptions", [])
            ),
            *draw(_exceptions(STARTS, source, _licences(base), "another")),
        ],
    }
    wanted = draw(st.sets(st.sampled_from(sorted(added)), min_size=1))
    kept = {name: part for name, part in added.items() if part and name in wanted}
    return {
        "pack": "reform",
        "version": "1",
        "title": "x",
        "note": "x",
        "over": {
            "pack": "ground",
            "version": "1",
            "sha256": hashlib.sha256(as_yaml(base)).hexdigest(),
        },
        "starts": str(STARTS),
        "sources": {"bill": {"title": "x", "where": "x", "mark": "O"}},
        **{name: _recorded(part, later) for name, part in kept.items()},
    }


def _licences(document: Document) -> list[str]:
    return [rule["id"] for rule in document["rules"] if rule["outcome"] == "licence"]


def _recorded(part: Any, day: str) -> Any:
    """Every dated entry with the day on which it became known."""
    if isinstance(part, dict):
        inner = {name: _recorded(value, day) for name, value in part.items()}
        return {**inner, "recorded": day} if "from" in part else inner
    return [_recorded(value, day) for value in part] if isinstance(part, list) else part
