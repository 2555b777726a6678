"""Overlays: a pack that is laid over another one, pinned by its digest, and only adds to it from a day on.

A reform is a small file: later values, statuses and reviews, new rules. Nothing of the base can be changed, and
nothing counts before `starts`, so no earlier answer changes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache
from typing import Final

import msgspec

from sekisho.model.statements.shapes import PackReference
from sekisho.rules.node_reader import Reader
from sekisho.rules.pack_shapes import DIGEST, NAME, SHAPES
from sekisho.rules.strict_yaml import Branch, Node, parse_yaml

__all__ = ["FindOver", "Layer", "layer_of", "layers_of"]

FindOver = Callable[[PackReference], bytes | None]
# A reform of a reform of a reform is law; longer chains are somebody's game.
MOST_LAYERS: Final = 8


class Layer(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a chain of overlays: its tree, its digest and the pack that it is laid over."""

    file: str
    raw: bytes
    sha256: str
    tree: Node
    over: PackReference | None = None


def layers_of(raw: bytes, file: str, find_over: FindOver) -> tuple[Layer, ...]:
    """The pack in `raw` and what it is laid over, the lowest last.

    Raises InvalidInput, with the line of `over`, for a loop, for a base that is not at hand, and for one whose bytes
    have another digest, name or version.
    """
    layers = [layer_of(raw, file)]
    names = [_name(layers[0])]
    while (over := layers[-1].over) is not None:
        reader, node = Reader(layers[-1].file), _field(layers[-1].tree, "over")
        if over.name in names:
            chain = " over ".join([*names, over.name])
            reader.fail(node, f"a loop of overlays: {chain}", "lay it over a pack below it")
        if len(layers) == MOST_LAYERS:
            reader.fail(node, f"more than {MOST_LAYERS} layers", "join some of them")
        layers.append(_base(reader, node, over, find_over))
        names.append(over.name)
    return tuple(layers)


@lru_cache(maxsize=8)
def layer_of(raw: bytes, file: str) -> Layer:
    """One file by itself. Raises InvalidInput with file, line and remedy."""
    tree = parse_yaml(raw, file)
    is_overlay = isinstance(tree, Branch) and "over" in tree.fields
    over = _over(Reader(file), _field(tree, "over")) if is_overlay else None
    return Layer(file=file, raw=raw, sha256=hashlib.sha256(raw).hexdigest(), tree=tree, over=over)


def _over(reader: Reader, node: Node) -> PackReference:
    fields = reader.branch(node, SHAPES["over"].required)
    return PackReference(
        name=reader.text(fields["pack"], NAME),
        version=reader.text(fields["version"], NAME),
        sha256=reader.text(fields["sha256"], DIGEST),
    )


def _base(reader: Reader, node: Node, over: PackReference, find_over: FindOver) -> Layer:
    raw = find_over(over)
    if raw is None:
        reader.fail(
            node,
            f"the pack {over.name!r} is not at hand",
            f"put {over.name}.yaml beside it; to publish, publish that pack first",
        )
    layer = layer_of(raw, f"{over.name}.yaml")
    found = (_name(layer), _text(layer.tree, "version"))
    if layer.sha256 != over.sha256:
        what = f"the {over.name} {found[1]} at hand has the SHA-256 {layer.sha256}"
        reader.fail(node, what, "write that digest once you have read what changed")
    if found != (over.name, over.version):
        what = f"these bytes are {found[0]} {found[1]}"
        reader.fail(node, what, "write the name and version of the pack with that digest")
    return layer


def _name(layer: Layer) -> str:
    return _text(layer.tree, "pack")


def _text(tree: Node, name: str) -> str:
    node = _field(tree, name)
    text = getattr(node, "text", "")
    return text if isinstance(text, str) else ""


def _field(tree: Node, name: str) -> Node:
    return tree.fields.get(name, tree) if isinstance(tree, Branch) else tree
