"""The README says what the code does."""

import re

import pytest

from analytics_assets_tests.readme import PARTS, README, with_parts


def test_the_made_parts_of_the_readme_equal_the_code() -> None:
    """Settings, YAML fields and tables in the README are those of the code; `make docs` writes them."""
    text = README.read_text()

    assert text == with_parts(text)


@pytest.mark.parametrize("name", PARTS)
def test_a_made_part_that_has_drifted_is_noticed(name: str) -> None:
    """A changed cell inside a made part comes back as the code has it."""
    text = README.read_text()
    end = f"<!-- end of {name} -->"

    drifted = text.replace(end, f"| `gone` | | A row the code does not have. |\n{end}")

    assert drifted != text
    assert with_parts(drifted) == text


def test_every_verb_the_readme_names_is_in_the_makefile() -> None:
    """A newcomer can type every `make` command of the README."""
    named = set(re.findall(r"`make ([a-z]+)", README.read_text())) | set(
        re.findall(r"^make ([a-z]+)", README.read_text(), re.MULTILINE)
    )
    verbs = set(re.findall(r"^([a-z]+):", (README.parent / "Makefile").read_text(), re.MULTILINE))

    assert named <= verbs
    assert {"demo", "test", "dev"} <= named


def test_every_file_the_readme_points_to_exists() -> None:
    """No link or picture of the README is dead."""
    targets = re.findall(r"\]\(((?!https?:)[^)#]+)\)", README.read_text())

    assert [target for target in targets if not (README.parent / target).exists()] == []
    assert targets


def test_the_readme_holds_no_placeholder() -> None:
    """What a newcomer reads first is real: the demo's output ends with its answer, and no word stands for later."""
    text = README.read_text()

    assert re.findall(r"^(?:DEMO|TODO|TBD)$", text, re.MULTILINE) == []
    assert "Which channel earned back its cost" in text
