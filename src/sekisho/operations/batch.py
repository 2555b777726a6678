"""Many statements in one go, the desk's own and what hosts signed: each judged on what the ones before it leave.

What a statement costs is the sync of two disks; a batch shares it. The order stays that of a single statement: judge,
sign, keep privately, append, fold. After a crash in between nothing is in the log that cannot be opened.
"""

from __future__ import annotations

from sekisho.ledger import leaf_hash
from sekisho.model.errors import NotAuthorised
from sekisho.model.statements import Predicate, kind_of, make_payload
from sekisho.operations.admission import check_admission
from sekisho.operations.desk import Admitted, Desk, Draft
from sekisho.operations.state import State
from sekisho.operations.unique_keys import unique_keys
from sekisho.ports.log_store import Submission
from sekisho.ports.private_store import Paper, PaperKind
from sekisho.signing import Recorded, Verified, sign_payload
from sekisho.signing.keys import Signer
from sekisho.signing.speaking import keys_for, verify_authority

__all__ = ["Batch"]


class Batch:
    """What one holder of the desk's lock is about to state and to keep. To be begun under the lock, after settling."""

    def __init__(self, desk: Desk, signer: Signer) -> None:
        self._desk = desk
        self._signer = signer
        self._drafts: list[Draft] = []
        self._disclosures: dict[str, tuple[str, ...]] = {}
        self._papers: dict[tuple[PaperKind, str], Paper] = {}
        self._may_say: set[str] = set()
        self._taken: set[str] = set()
        self.state: State = desk.state

    def state_fact(self, predicate: Predicate, disclosures: tuple[str, ...] = ()) -> Recorded:
        """Judge, sign and fold a statement of the desk's own; it is in the log once `commit` has returned.

        Raises what the folds raise, and NotAuthorised where the desk's key may not say it; then nothing changed.
        """
        if disclosures and self._desk.deposits is not None:
            self._desk.deposits.check(disclosures)
        recorded = self._place(self._vouch(predicate))
        self._fold(recorded, disclosures)
        return recorded

    def take_signed(self, verified: Verified) -> None:
        """Judge and fold what somebody else signed, as the desk's own `admit` does; once, however often it comes.

        Raises what an admission raises; then nothing changed.
        """
        if verified.digest in self._taken or self._desk.find(verified.digest) is not None:
            return
        recorded = self._place(verified)
        check_admission(self.state, recorded, self._desk.grounds(), own=True)
        self._fold(recorded, ())
        self._taken.add(verified.digest)

    def keep(self, paper: Paper) -> None:
        """Keep a paper in the private store, before anything of this batch enters the log."""
        self._papers[paper.kind, paper.digest] = paper

    def find_paper(self, kind: PaperKind, digest: str) -> Paper | None:
        """A paper of this batch or of the private store."""
        found = self._papers.get((kind, digest))
        return found or self._desk.private.find_paper(kind, digest)

    def commit(self) -> dict[str, Admitted]:
        """Make all of it durable; where each statement stands, by payload digest. Raises what the stores raise."""
        if self._papers or self._disclosures:
            # An acknowledgement alone appends nothing, and so would meet no compare-and-swap.
            self._desk.verify_writer()
            self._desk.private.save_all(self._disclosures, list(self._papers.values()))
        self._desk.keep_disclosures(self._disclosures)
        # Crash here: papers and disclosures without their entries; whoever asked asks again, and both are kept once.
        admitted = self._desk.take_drafts(self._drafts, self.state)
        if self._disclosures and self._desk.deposits is not None:
            # Crash here: stated and not deposited; `complete` does it at the next start.
            self._desk.deposits.complete()
        return {each.digest: each for each in admitted}

    def _place(self, verified: Verified) -> Recorded:
        leaf = leaf_hash(verified.envelope.raw).hex()
        return Recorded(index=self.state.size, leaf=leaf, verified=verified)

    def _fold(self, recorded: Recorded, disclosures: tuple[str, ...]) -> None:
        verified = recorded.verified
        self.state = self.state.after(recorded, {verified.digest: disclosures})
        if disclosures:
            self._disclosures[verified.digest] = disclosures
        submission = Submission(
            envelope=verified.envelope.raw,
            payload_sha256=bytes.fromhex(verified.digest),
            unique=unique_keys(recorded),
        )
        self._drafts.append(Draft(recorded=recorded, submission=submission))

    def _vouch(self, predicate: Predicate) -> Verified:
        """The statement as its own regime would verify it: whether this key may say it is asked, not whether it did."""
        kind = kind_of(predicate)
        envelope = sign_payload(make_payload(predicate), [self._signer])
        signers = frozenset({self._signer.public.key_id})
        # Nothing of the desk's own changes who may speak, so a batch asks once a kind.
        if kind not in self._may_say:
            self._verify_may_say(kind, predicate, signers)
            self._may_say.add(kind)
        return Verified(
            kind=kind,
            predicate=predicate,
            digest=envelope.digest,
            signers=signers,
            envelope=envelope.at_rest(),
        )

    def _verify_may_say(self, kind: str, predicate: Predicate, signers: frozenset[str]) -> None:
        regime = self.state.regime
        keys = keys_for(kind, predicate, regime.enrolled, [regime.log_key], regime.in_force)
        live = {key.key_id for key in regime.live_keys(keys)}
        if not signers <= live or not verify_authority(kind, predicate, signers, regime.in_force):
            raise NotAuthorised(
                f"this control plane's key may not state a {kind}",
                remedy="the charter in force must name it, and nobody may have reported it",
            )
