"""Wrong keys and names, and lists that move while they are read, over a real socket."""

import pytest

from analytics_assets_tests.contract.expected_faults import ROWS
from analytics_assets_tests.contract.expected_refusals import REFUSALS, Refusal
from analytics_assets_tests.contract.observed_refusals import Refused


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda one: f"{one.vendor}, {one.words}")
def test_what_is_asked_amiss_or_moves_ends_as_the_table_says(refusal: Refusal, refused_cells: Refused):
    """Class, requests and words; a list that has moved is whole in the end, or not there: never with a gap or a double."""
    cell = refused_cells[refusal.vendor, refusal.words]
    assert cell.kind == refusal.expected.kind, cell.message
    assert refusal.expected.requests <= cell.requests <= (refusal.most or refusal.expected.requests)
    assert refusal.expected.words in cell.message
    assert cell.is_usual is (refusal.expected.kind == ROWS)


def test_no_key_is_in_any_message_or_kept_body(refused_cells: Refused):
    """Statsig sends back the key it refuses."""
    assert not [cell for cell in refused_cells.values() if "never-shown" in cell.message + cell.evidence]
    assert "[redacted]" in refused_cells["Statsig", "a wrong key: 401 that echoes it"].evidence
