"""The page of the docs says what was observed."""

from analytics_assets_tests.contract.observed_faults import Cells
from analytics_assets_tests.contract.observed_forms import Readings
from analytics_assets_tests.contract.observed_refusals import Refused
from analytics_assets_tests.contract.page import PAGE, page


def test_the_page_is_what_a_run_gives(fault_cells: Cells, refused_cells: Refused, form_readings: Readings):
    """`python -m analytics_assets_tests.contract` writes it anew; read the difference before you do."""
    assert PAGE.read_text() == page(fault_cells, refused_cells, form_readings)
