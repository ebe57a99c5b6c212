"""Makes the example of docs/add-a-source.md importable as `analytics_assets.sources.kiosk`, where a reader copies it to."""

import analytics_assets.sources
from analytics_assets_tests.readme import EXAMPLE

analytics_assets.sources.__path__.append(str(EXAMPLE))
