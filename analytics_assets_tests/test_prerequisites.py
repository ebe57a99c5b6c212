"""A machine that lacks something skips the tests that need it, but not in continuous integration."""

import pytest

from analytics_assets_tests.prerequisites import require_module, skip_or_fail


@pytest.mark.parametrize(
    "lacking", [lambda: skip_or_fail("no disk"), lambda: require_module("no_disk", source="group dev")]
)
def test_what_a_machine_lacks_skips_a_test_and_fails_it_in_continuous_integration(
    lacking, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There a skipped test would look like one that passed."""
    monkeypatch.delenv("TESTS_NEED_ALL", raising=False)
    with pytest.raises(pytest.skip.Exception, match=r"no.disk"):
        lacking()
    monkeypatch.setenv("TESTS_NEED_ALL", "yes")
    with pytest.raises(pytest.fail.Exception, match=r"no.disk"):
        lacking()
