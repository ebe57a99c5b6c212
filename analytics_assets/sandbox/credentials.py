"""The keys the sandbox accepts. They are public constants and open nothing anywhere else.

Here live the accepted values; how each vendor wants to see them is in that vendor's module. The names say sandbox so that a
real key and one of these can never be taken for each other.
"""

from typing import Final

BENTO_PUBLISHABLE_KEY: Final = "pk_sandbox"
BENTO_SECRET_KEY: Final = "sk_sandbox"  # noqa: S105 -- public by design
BENTO_SITE_UUID: Final = "00000000-0000-4000-8000-5a4db0c5a4db"
STATSIG_CONSOLE_KEY: Final = "console-sandbox"
AIRBRIDGE_API_TOKEN: Final = "airbridge-sandbox"  # noqa: S105 -- public by design
