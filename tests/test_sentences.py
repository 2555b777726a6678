"""Every test says in one sentence what it holds."""

from __future__ import annotations

import ast
from pathlib import Path


def test_every_test_has_its_sentence() -> None:
    """A test without a docstring is a test that nobody can argue with."""
    silent = [
        f"{path.name}:{node.lineno} {node.name}"
        for path in sorted(Path(__file__).parent.rglob("test_*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and not ast.get_docstring(node)
    ]
    assert silent == []
