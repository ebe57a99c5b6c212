"""Every client against every fault, over a real socket: the class of the error or the usual rows, the requests, the words."""

import pytest

from analytics_assets_tests.contract.expected_faults import FAULTS, ROWS, UNEXPECTED, Fault
from analytics_assets_tests.contract.observed_faults import Cells
from analytics_assets_tests.contract.operations import KEYS, OPERATIONS, Operation


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: f"{one.vendor} {one.name}")
@pytest.mark.parametrize("fault", FAULTS, ids=lambda one: one.words)
def test_a_fault_ends_as_the_table_says(fault: Fault, operation: Operation, fault_cells: Cells):
    """Class and requests exactly; the words are in the message, with the variables of the vendor's keys."""
    cell = fault_cells[fault.words, operation.name]
    expected = fault.of(operation.name, is_post=operation.is_post)
    assert (cell.kind, cell.requests) == (expected.kind, expected.requests), cell.message
    assert expected.words.format(keys=KEYS[operation.vendor]) in cell.message
    assert cell.is_usual is (expected.kind == ROWS)
    assert cell.took_s >= fault.waits_s
    assert bool(cell.evidence) or expected.kind != UNEXPECTED


def test_nothing_but_what_the_vendor_asked_for_is_waited_out(fault_cells: Cells):
    """A pause of an hour is not slept through, and no fault holds a run for long."""
    assert max(cell.took_s for cell in fault_cells.values()) < 5


def test_every_fault_met_every_operation(fault_cells: Cells):
    """No cell is missing."""
    assert set(fault_cells) == {(fault.words, one.name) for fault in FAULTS for one in OPERATIONS}
