"""What a YAML cannot wish from Bento."""

import math

import pytest

from analytics_assets.errors import PermanentError
from analytics_assets.sources.bento.streams import AdsSpec, AudienceSpec, ReportsSpec, WindowSpec


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: AdsSpec(dimensions=()),
            "Bento ads, `dimensions`: nothing is named, so nothing would be read. Name at least one.",
        ),
        (
            lambda: AdsSpec(dimensions=("sources", "ad")),
            "Bento ads, `dimensions`: 'sources' is not known. Use source or campaign or medium or content or ad.",
        ),
        (
            lambda: AdsSpec(dimensions=("ad", "ad")),
            "Bento ads, `dimensions`: ad named more than once, each costs a request. Name it once.",
        ),
        (
            lambda: AdsSpec(revenue_modes=("revenue",)),
            "Bento ads, `revenue_modes`: 'revenue' is not known. Use all_revenue or first_revenue or subscriptions.",
        ),
        (
            lambda: AdsSpec(value=""),
            "Bento ads, `value`: it is empty, which Bento reads as no filter. Leave it out.",
        ),
        (
            lambda: AdsSpec(dimensions=("source", "ad"), value="google"),
            "Bento ads, `value`: 'google' is a value of one dimension, but 2 are requested. Name one dimension, or leave `value` out.",
        ),
        (
            lambda: AdsSpec(final_after_hours=-1),
            "Bento ads, `final_after_hours`: -1 is no time after the day's end. Use hours from 0.",
        ),
        (
            lambda: AdsSpec(final_after_hours=math.nan),
            "Bento ads, `final_after_hours`: nan is no time after the day's end. Use hours from 0.",
        ),
        (
            lambda: WindowSpec(zone="Mars/Olympus"),
            "Bento ads, `window.zone`: 'Mars/Olympus' is no time zone. Use a name such as America/New_York.",
        ),
        (
            lambda: WindowSpec(zone=""),
            "Bento ads, `window.zone`: '' is no time zone. Use a name such as America/New_York.",
        ),
        (
            lambda: WindowSpec(end="open"),  # type: ignore[arg-type]
            "Bento ads, `window.end`: 'open' is not known. Use exclusive or inclusive.",
        ),
        (
            lambda: WindowSpec(format="epoch"),  # type: ignore[arg-type]
            "Bento ads, `window.format`: 'epoch' is not known. Use iso or iso_time or words.",
        ),
        (
            lambda: AudienceSpec(segments=("vip", " ")),
            "Bento audience, `segments`: one entry is empty. Remove it or write the name.",
        ),
        (
            lambda: ReportsSpec(reports=()),
            "Bento reports, `reports`: nothing is named, so nothing would be read. Name at least one.",
        ),
        (
            lambda: ReportsSpec(reports=("a", "b", "a")),
            "Bento reports, `reports`: a named more than once, each costs a request. Name it once.",
        ),
    ],
)
def test_a_wish_that_cannot_be_met_is_refused_with_place_reason_and_remedy(make, message):
    """At loading, not when the run is under way."""
    with pytest.raises(PermanentError) as caught:
        make()
    assert str(caught.value) == message
