"""The roll-up of one customer's period: a private document, and what of it the log is told.

The log gets the document's digest, the digest of its evidence and one salted digest for each figure, always the same
figures in the same number, so that nothing is learnt from size. Everything random hangs on the document's one salt:
whoever has the document derives the very statement again, byte for byte, so a retry after a crash is the same
statement and not a second one.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final, Literal

import msgspec

from sekisho.metering.accounts.entries import Entry
from sekisho.metering.accounts.figures import Figures, add_up
from sekisho.metering.accounts.keys import Piece
from sekisho.metering.accounts.lineage import Runs
from sekisho.model.amounts import format_flop, parse_flop
from sekisho.model.errors import InvalidInput
from sekisho.model.statements import ChainHead, UsageReported, make_payload
from sekisho.model.statements.shapes import Digest, Name, Span
from sekisho.model.wire import canonical, from_json, parse_json, sha256_hex
from sekisho.signing.disclosure import conceal

__all__ = [
    "CONCEALED",
    "MAX_ROLL_UP",
    "RollUp",
    "RollUpRow",
    "check_roll_up",
    "evidence_digest",
    "is_same_account",
    "make_roll_up",
    "parse_roll_up",
    "payload_digest",
    "roll_up_digest",
    "statement_of",
]

FORMAT: Final = "sekisho-usage-roll-up/v1"
SALT_BYTES: Final = 16
MAX_CHAINS: Final = 128
"""More chain heads than these do not fit into a statement: they stand in the document, whose digest it carries."""
MAX_ROLL_UP: Final = 256 * 1024 * 1024
_FLOP: Final = ("bound_low", "bound_high", "estimate_low", "estimate_best", "estimate_high")
_TIMES: Final = ("chip_ms", "gap_ms", "unbounded_ms", "unestimated_ms")
CONCEALED: Final = ("party", "reason", *_FLOP, *_TIMES, "tiers", "jobs")
"""The fields of every usage report that only disclosures tell, in this order."""
_NOT_MEASURED: Final = "not measured"


class RollUpRow(msgspec.Struct, frozen=True, kw_only=True):
    """What one job did at one site within the period; FLOP as decimal strings, None where not measured."""

    job: str
    run: str
    site: str
    bound_low: str | None
    bound_high: str | None
    estimate_low: str | None
    estimate_best: str | None
    estimate_high: str | None
    chip_ms: int
    gap_ms: int
    unbounded_ms: int
    unestimated_ms: int
    tiers: tuple[str, ...]


class RollUp(msgspec.Struct, frozen=True, kw_only=True):
    """One customer's account of one period.

    `party` is whom it is about, `licensee` how the log names it: an enrolled party by its name, any other customer by
    a tag. `corrects` is the payload digest of the statement that this one corrects, `reason` why.
    """

    party: str
    licensee: Name
    period: Span
    counting: str
    rows: tuple[RollUpRow, ...]
    evidence: tuple[str, ...]
    salt: str
    chains: tuple[ChainHead, ...] = ()
    corrects: Digest | None = None
    reason: str = ""
    format: Literal["sekisho-usage-roll-up/v1"] = "sekisho-usage-roll-up/v1"

    def total(self, name: str) -> int:
        """The sum of one figure over all rows that have it."""
        values = (getattr(row, name) for row in self.rows)
        return sum(int(value) for value in values if value is not None)

    @property
    def is_bounded(self) -> bool:
        """Whether the bound is one of everything."""
        return all(row.bound_high is not None for row in self.rows)

    @property
    def tiers(self) -> tuple[str, ...]:
        return tuple(sorted({tier for row in self.rows for tier in row.tiers}))

    def concealed_fields(self) -> dict[str, str]:
        """What the statement conceals, by name, in its order."""
        flop = {name: self._figure(name) for name in _FLOP}
        times = {name: str(self.total(name)) for name in _TIMES}
        return {
            "party": self.party,
            "reason": self.reason,
            **flop,
            **times,
            "tiers": " ".join(self.tiers),
            "jobs": str(len({(row.site, row.job) for row in self.rows})),
        }

    def _figure(self, name: str) -> str:
        """A total over rows of which one is not measured is no total: it is said with what is lacking."""
        missing = any(getattr(row, name) is None for row in self.rows)
        total = format_flop(self.total(name))
        return f"{_NOT_MEASURED} in part, {total}" if missing else total


def make_roll_up(
    entries: Iterable[Entry], runs: Runs, *, party: str, licensee: str, period: Span, counting: str
) -> RollUp:
    """The roll-up of a customer's entries in a period, job by job, without salt; `salt` is put in before it is kept."""
    cut: defaultdict[tuple[str, str], list[Piece]] = defaultdict(list)
    evidence: set[str] = set()
    for entry in entries:
        cut[entry.site, entry.job].append(Piece(entry, entry.start.us, entry.end.us))
        evidence |= {entry.evidence} - {""}
    start, end = period.start.us, period.end.us
    rows = [
        _row(site, job, runs.of(site, job), add_up(pieces, start, end))
        for (site, job), pieces in sorted(cut.items())
    ]
    return RollUp(
        party=party,
        licensee=licensee,
        period=period,
        counting=counting,
        rows=tuple(row for row in rows if row is not None),
        evidence=tuple(sorted(evidence)),
        salt="",
    )


def _row(site: str, job: str, run: str, figures: Figures) -> RollUpRow | None:
    if not figures.entries:
        return None
    bounded, estimated = figures.is_whole, figures.is_estimated
    return RollUpRow(
        job=job,
        run=run,
        site=site,
        bound_low=format_flop(figures.bound_low) if bounded else None,
        bound_high=format_flop(figures.bound_high) if bounded else None,
        estimate_low=format_flop(figures.estimate_low) if estimated else None,
        estimate_best=format_flop(figures.estimate_best) if estimated else None,
        estimate_high=format_flop(figures.estimate_high) if estimated and bounded else None,
        chip_ms=figures.chip_ms,
        gap_ms=figures.gap_ms,
        unbounded_ms=figures.unbounded_ms,
        unestimated_ms=figures.unestimated_ms,
        tiers=figures.tiers,
    )


def is_same_account(one: RollUp, other: RollUp) -> bool:
    """Whether two documents say the same of the same period: salts, chains and corrections apart.

    The evidence may differ: files that were compacted bear other names and hold the same readings.
    """
    names = ("party", "period", "counting", "rows")
    return all(getattr(one, name) == getattr(other, name) for name in names)


def parse_roll_up(data: bytes, *, path: str = "") -> RollUp:
    """Read a roll-up document. Raises InvalidInput with the field."""
    found = from_json(RollUp, parse_json(data, path=path, limit=MAX_ROLL_UP), path=path)
    check_roll_up(found, path)
    return found


def check_roll_up(roll_up: RollUp, path: str = "") -> None:
    """Raise InvalidInput where a document contradicts itself: figures that are none, rows out of order or twice."""
    if len(roll_up.salt) != 2 * SALT_BYTES or roll_up.salt.strip("0123456789abcdef"):
        raise InvalidInput("is no salt of 128 bits in hexadecimal", path=f"{path} salt".strip())
    if roll_up.period.end <= roll_up.period.start:
        raise InvalidInput("ends before it begins", path=f"{path} period".strip())
    places = [(row.site, row.job) for row in roll_up.rows]
    if places != sorted(set(places)):
        raise InvalidInput("stand twice or out of order", path=f"{path} rows".strip())
    for number, row in enumerate(roll_up.rows):
        where = f"{path} rows[{number}]".strip()
        bound = [_flop(row.bound_low, where), _flop(row.bound_high, where)]
        figures = (row.estimate_low, row.estimate_best, row.estimate_high)
        estimate = [_flop(figure, where) for figure in figures]
        for some in (bound, estimate):
            known = [figure for figure in some if figure is not None]
            if known != sorted(known):
                raise InvalidInput("figures are not low, best, high", path=where)
        if min(row.chip_ms, row.gap_ms, row.unbounded_ms, row.unestimated_ms) < 0:
            raise InvalidInput("a time below zero", path=where)


def _flop(text: str | None, path: str) -> int | None:
    return None if text is None else parse_flop(text, path=path)


def roll_up_digest(roll_up: RollUp) -> str:
    """The SHA-256 of the document's canonical bytes. Its salt keeps it from being guessed."""
    return sha256_hex(canonical(roll_up))


def evidence_digest(evidence: Sequence[str]) -> str | None:
    """One digest for what a roll-up rests on: the store's own where it is one, else over all; None for nothing."""
    if len(evidence) == 1 and evidence[0].startswith("sha256:"):
        return evidence[0].removeprefix("sha256:")
    return sha256_hex(canonical(list(evidence))) if evidence else None


def statement_of(roll_up: RollUp) -> tuple[UsageReported, tuple[str, ...]]:
    """The statement of a roll-up with its disclosures; of one document always the same. Raises InvalidInput."""
    check_roll_up(roll_up)
    concealed, disclosures = [], []
    for name, value in roll_up.concealed_fields().items():
        digest, disclosure = conceal(name, value, _salt(roll_up.salt, name))
        concealed.append(digest)
        disclosures.append(disclosure.text)
    fact = UsageReported(
        # The end of what it speaks of, and not the reporter's clock: when it was recorded, the log's marks tell.
        effective=roll_up.period.end,
        licensee=roll_up.licensee,
        period=roll_up.period,
        chains=roll_up.chains if len(roll_up.chains) <= MAX_CHAINS else (),
        rollup=roll_up_digest(roll_up),
        evidence=evidence_digest(roll_up.evidence),
        corrects=roll_up.corrects,
        counting=roll_up.counting,
        concealed=tuple(sorted(concealed)),
    )
    return fact, tuple(disclosures)


def payload_digest(roll_up: RollUp) -> str:
    """The payload digest of a salted roll-up's statement: the name by which a correction names it."""
    return sha256_hex(make_payload(statement_of(roll_up)[0]))


def _salt(salt: str, name: str) -> bytes:
    """A salt for each field: from one of them no other can be found."""
    drawn = hmac.new(bytes.fromhex(salt), f"{FORMAT}\n{name}\n".encode(), hashlib.sha256)
    return drawn.digest()[:SALT_BYTES]
