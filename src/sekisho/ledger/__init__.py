"""The public log: tree, tiles, checkpoints, proofs, policies and the reader. All pure but for the store read.

The write side is imported by its own name: `sekisho.ledger.sequencer`, `sekisho.ledger.publisher`,
`sekisho.ledger.witness`.
"""

from sekisho.ledger.checkpoint import Checkpoint, WrongOrigin, sign_checkpoint, verify_checkpoint
from sekisho.ledger.fsck import LogCheck, LogFault, check_log, check_tree
from sekisho.ledger.policy import Cosigned, Group, Policy, QuorumMissing, WitnessEntry
from sekisho.ledger.proof import TlogProof
from sekisho.ledger.proven import ProvenTree
from sekisho.ledger.reader import LogReader, TreeReader
from sekisho.ledger.tiles import DamagedTile, Tile, TileTree
from sekisho.ledger.tree import (
    EMPTY_ROOT,
    BadProof,
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    verify_consistency,
    verify_inclusion,
)

__all__ = [
    "EMPTY_ROOT",
    "BadProof",
    "Checkpoint",
    "Cosigned",
    "DamagedTile",
    "Frontier",
    "Group",
    "LogCheck",
    "LogFault",
    "LogReader",
    "Policy",
    "ProvenTree",
    "QuorumMissing",
    "Tile",
    "TileTree",
    "TlogProof",
    "TreeReader",
    "WitnessEntry",
    "WrongOrigin",
    "check_log",
    "check_tree",
    "consistency_proof",
    "inclusion_proof",
    "leaf_hash",
    "node_hash",
    "sign_checkpoint",
    "verify_checkpoint",
    "verify_consistency",
    "verify_inclusion",
]
