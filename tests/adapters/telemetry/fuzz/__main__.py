"""`python -m tests.adapters.telemetry.fuzz TARGET [-runs=N -seed=S ...]`: libFuzzer on one parser, by coverage.

The options behind the target are libFuzzer's. A finding ends the run with an exit code above zero, and its bytes are
left in the folder that `-artifact_prefix=` names.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris  # type: ignore[import-untyped]  # it comes without types

# Instrumented as they are imported, so before the targets, which import them.
with atheris.instrument_imports(include=["sekisho.adapters.telemetry", "tests.adapters.telemetry"]):
    from tests.adapters.telemetry.fuzz.targets import TARGETS, run_once


def main(arguments: list[str]) -> None:
    """Fuzz until the runs are over. Does not return: libFuzzer ends the process."""
    name, *options = arguments
    target = TARGETS[name]
    with tempfile.TemporaryDirectory(prefix="sekisho-fuzz-") as folder:
        for number, seed in enumerate(target.seeds):
            (Path(folder) / f"seed-{number}").write_bytes(seed)
        atheris.Setup([sys.argv[0], *options, folder], lambda body: run_once(target, body))
        atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
