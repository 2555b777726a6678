"""The documents point only at what is there: files, headings, make targets, commands, tests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from sekisho.cli.main import COMMANDS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md")))

FENCE = re.compile(r"^(```|~~~).*?^\1\s*$", re.DOTALL | re.MULTILINE)
CODE = re.compile(r"`[^`\n]+`")
LINK = re.compile(r"\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^()\s]+)\)")
HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*\s*$", re.MULTILINE)
MAKE = re.compile(r"\bmake ([a-z][a-z-]*)\b")
# Not the domain lines of hashes, such as `sekisho halt nonce v1`.
COMMAND = re.compile(r"(?:^|[`/ ])sekisho ([a-z]+)\b(?![^\n`]* v[0-9])", re.MULTILINE)
TEST_NAME = re.compile(r"\b(test_[a-z0-9_]+)(?:\.py)?\b")


def links_of(text: str) -> list[str]:
    """Targets of all links and pictures outside code."""
    return LINK.findall(CODE.sub("", FENCE.sub("", text)))


def anchors_of(text: str) -> set[str]:
    """The anchors that headings get: lower case, punctuation dropped, a space for a hyphen, repeats numbered."""
    found: set[str] = set()
    for heading in HEADING.findall(FENCE.sub("", text)):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        number = 0
        while (name := f"{slug}-{number}" if number else slug) in found:
            number += 1
        found.add(name)
    return found


def problem_of(page: Path, target: str) -> str | None:
    """Why a relative link of a page does not resolve; None where it does, or leads out of the repository."""
    if re.match(r"[a-z][a-z0-9+.-]*:", target):
        return None
    path, _, anchor = target.partition("#")
    place = (page.parent / path).resolve() if path else page
    if not place.is_relative_to(page.parent.resolve()) and not place.is_relative_to(ROOT):
        return f"{target}: leads out of the repository"
    if not place.exists():
        return f"{target}: is not there"
    if anchor and (
        place.suffix != ".md" or anchor not in anchors_of(place.read_text(encoding="utf-8"))
    ):
        return f"{target}: has no such heading"
    return None


def names(page: Path) -> str:
    """A page by its path, for the names of tests."""
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=names)
def test_every_relative_link_of_a_page_resolves(page: Path) -> None:
    """To a file or folder of this repository, and to a heading where it names one."""
    found = [problem_of(page, target) for target in links_of(page.read_text(encoding="utf-8"))]
    assert [problem for problem in found if problem] == []


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    """A missing file, a missing heading and a repeated heading are told apart from sound ones."""
    page = tmp_path / "page.md"
    page.write_text("# One\n## Two, three\n## Two, three\n`[no](link.md)`\n[a](gone.md)\n")
    assert links_of(page.read_text()) == ["gone.md"]
    assert problem_of(page, "gone.md") == "gone.md: is not there"
    assert problem_of(page, "#two-three-1") is None
    assert problem_of(page, "#two-three-2") == "#two-three-2: has no such heading"
    assert problem_of(page, "https://example.org/x") is None


@pytest.mark.parametrize("page", PAGES, ids=names)
def test_a_page_names_only_make_targets_that_exist(page: Path) -> None:
    """In its code; prose may make something else."""
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {target for code in code_of(page) for target in MAKE.findall(code)}
    assert named <= targets


def test_the_readme_names_its_two_commands() -> None:
    """`make run` and `make test` stand in the README's code."""
    named = {target for code in code_of(ROOT / "README.md") for target in MAKE.findall(code)}
    assert {"run", "test"} <= named


@pytest.mark.parametrize("page", PAGES, ids=names)
def test_a_page_names_only_commands_that_exist(page: Path) -> None:
    """`sekisho WORD` in code is a word of the command table."""
    named = {command for code in code_of(page) for command in COMMAND.findall(code)}
    assert named <= set(COMMANDS)


@pytest.mark.parametrize("page", PAGES, ids=names)
def test_a_page_names_only_tests_that_exist(page: Path) -> None:
    """By the function's name or the file's."""
    known = set()
    for path in (ROOT / "tests").rglob("*.py"):
        known |= {path.stem, *re.findall(r"def (test_\w+)", path.read_text(encoding="utf-8"))}
    text = page.read_text(encoding="utf-8")
    assert set(TEST_NAME.findall(text)) - known == set()


def test_operations_is_at_most_three_clicks_from_the_readme() -> None:
    """A first-time reader follows links from page to page."""
    goal = (ROOT / "src/sekisho/operations").resolve()
    seen, pages = set(), {(ROOT / "README.md").resolve()}
    for _ in range(3):
        targets = {t for page in pages for t in targets_of(page)}
        if goal in targets:
            return
        seen |= pages
        pages = {target for target in targets if target.suffix == ".md"} - seen
    pytest.fail("no way to operations in three clicks")


@pytest.mark.parametrize("folder", ["docs/adr", "docs/guide"])
def test_an_index_names_every_page_beside_it(folder: str) -> None:
    """So that no page is an orphan."""
    index = ROOT / folder / "README.md"
    listed = set(targets_of(index))
    assert {path for path in (ROOT / folder).glob("*.md") if path != index} <= listed


def targets_of(page: Path) -> Iterator[Path]:
    """Where the relative links of a page lead."""
    for target in links_of(page.read_text(encoding="utf-8")):
        if "://" not in target and not target.startswith("#"):
            yield (page.parent / target.partition("#")[0]).resolve()


def code_of(page: Path) -> list[str]:
    """Fenced blocks and code spans."""
    text = page.read_text(encoding="utf-8")
    blocks = [match.group(0) for match in FENCE.finditer(text)]
    return blocks + CODE.findall(FENCE.sub("", text))
