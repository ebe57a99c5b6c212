"""What is expected of every stream under every form of its vendor's responses; written by hand in `expected_*_forms.py`."""

from analytics_assets_tests.contract.expected_airbridge_forms import AIRBRIDGE
from analytics_assets_tests.contract.expected_bento_forms import BENTO
from analytics_assets_tests.contract.expected_statsig_forms import STATSIG
from analytics_assets_tests.contract.form_changes import Change

FORMS: dict[str, dict[str, dict[str, Change]]] = {"bento": BENTO, "statsig": STATSIG, "airbridge": AIRBRIDGE}
