"""Writes `docs/what-vendors-do.md` from a run of the contract."""

import tempfile
from pathlib import Path

from analytics_assets_tests.contract.observed_faults import observed_faults
from analytics_assets_tests.contract.observed_forms import observed_forms
from analytics_assets_tests.contract.observed_refusals import observed_refusals
from analytics_assets_tests.contract.page import PAGE, page

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        text = page(observed_faults(), observed_refusals(), observed_forms(Path(folder)))
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(text)
