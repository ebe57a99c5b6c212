"""The README says what the code does."""

import re
from pathlib import Path

import pytest

from analytics_assets_tests.readme import PAGES, README, with_parts


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_made_parts_of_a_page_equal_the_code(page: Path) -> None:
    """Settings, YAML fields and tables are those of the code; `make docs` writes them."""
    text = page.read_text()

    assert text == with_parts(text, PAGES[page]), f"Run `make docs`: {page.name} differs from the code."


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_made_part_that_has_drifted_is_noticed(page: Path) -> None:
    """A changed cell inside a made part comes back as the code has it."""
    text = page.read_text()
    for name in PAGES[page]:
        end = f"<!-- end of {name} -->"
        drifted = text.replace(end, f"| `gone` | | A row the code does not have. |\n{end}")

        assert drifted != text
        assert with_parts(drifted, PAGES[page]) == text


def test_every_verb_the_readme_names_is_in_the_makefile() -> None:
    """A newcomer can type every `make` command of the README."""
    named = set(re.findall(r"`make ([a-z]+)", README.read_text())) | set(
        re.findall(r"^make ([a-z]+)", README.read_text(), re.MULTILINE)
    )
    verbs = set(re.findall(r"^([a-z]+):", (README.parent / "Makefile").read_text(), re.MULTILINE))

    assert named <= verbs
    assert {"demo", "test", "dev"} <= named


def test_every_file_the_pages_point_to_exists() -> None:
    """No link or picture of the README and the pages in docs/ and deploy/ is dead."""
    pages = [README, *README.parent.glob("docs/*.md"), *README.parent.glob("deploy/*.md")]
    targets = [
        (page, target)
        for page in pages
        for target in re.findall(r"\]\(((?!https?:)[^)#]+)(?:#[^)]*)?\)", page.read_text())
    ]

    assert [target for page, target in targets if not (page.parent / target).exists()] == []
    assert targets


def test_the_readme_holds_no_placeholder() -> None:
    """What a newcomer reads first is real: the demo's output ends with its response, and no word stands for later."""
    text = README.read_text()

    assert re.findall(r"^(?:DEMO|TODO|TBD)$", text, re.MULTILINE) == []
    assert "Which channel earned back its cost" in text
