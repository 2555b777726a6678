"""Which disclosures are deposited, which still must be, and which were erased: a pure fold of the log."""

from __future__ import annotations

import msgspec

from sekisho.model.persistent import PersistentMap
from sekisho.model.statements import CharterAdopted, DisclosureDeposited, DisclosureErased
from sekisho.signing.disclosure import concealed_of
from sekisho.signing.regime import Recorded
from sekisho.signing.sealing import DepositKey

__all__ = ["DepositBook", "deposit_keys"]


class DepositBook(msgspec.Struct, frozen=True, kw_only=True):
    """After some entry of the log: who holds shares, and by payload digest what became of concealed fields.

    `owed` are the statements that conceal fields, were made under a charter with holders, and have no deposit yet, with
    their digests; `deposited` gives the deposit's index, `erased` the basis that was stated. What was stated while
    the charter named nobody is owed to nobody.
    """

    holders: tuple[DepositKey, ...] = ()
    owed: PersistentMap[str, tuple[str, ...]] = PersistentMap()
    deposited: PersistentMap[str, int] = PersistentMap()
    erased: PersistentMap[str, str] = PersistentMap()

    def after(self, recorded: Recorded) -> DepositBook:
        """The book once an entry is in the log. What nothing conceals, or what is erased, is never owed again."""
        fact, digest = recorded.verified.predicate, recorded.verified.digest
        if isinstance(fact, CharterAdopted):
            return msgspec.structs.replace(self, holders=deposit_keys(fact))
        if isinstance(fact, DisclosureDeposited):
            return msgspec.structs.replace(
                self,
                owed=self.owed.minus(fact.statement),
                deposited=self.deposited.plus(fact.statement, recorded.index),
            )
        if isinstance(fact, DisclosureErased):
            return msgspec.structs.replace(
                self,
                owed=self.owed.minus(fact.statement),
                erased=self.erased.plus(fact.statement, fact.basis),
            )
        concealed = concealed_of(fact)
        if concealed and self.holders and digest not in self.erased:
            return msgspec.structs.replace(self, owed=self.owed.plus(digest, concealed))
        return self


def deposit_keys(terms: CharterAdopted) -> tuple[DepositKey, ...]:
    """The deposit keys that a charter names, by key id. Raises InvalidInput for what is no X25519 key."""
    named = {
        key.key_id: key
        for constituency in terms.constituencies
        for holder in constituency.keys
        if holder.deposit is not None
        for key in [DepositKey.from_text(holder.deposit, path=f"{constituency.name}.deposit")]
    }
    return tuple(key for _, key in sorted(named.items()))
