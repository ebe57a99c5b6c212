"""Endpoints of Kiosk: the sales of a day, page by page, and the list of all campaigns.

Page: https://docs.kiosk.example/api
"""

from datetime import date
from typing import Final

from analytics_assets.errors import TransientError, UnexpectedPayloadError
from analytics_assets.http.bodies import MOST_PAGES
from analytics_assets.http.response import JsonResponse
from analytics_assets.http.session import Session
from analytics_assets.sources.kiosk.responses import CampaignList, SalesPage

BASE_URL: Final = "https://api.kiosk.example/v1"
SALES_PATH: Final = "/sales"
CAMPAIGNS_PATH: Final = "/campaigns"
_WALKS: Final = 3


class KioskClient:
    """Client of one shop. Every method raises `SourceError`s, and refuses a payload of another shape before it is stored."""

    def __init__(self, session: Session) -> None:
        self.session = session

    async def sales(self, day: date) -> list[JsonResponse]:
        """GET /sales: all pages of a day, read again from the first page if the list changed meanwhile.

        Raises:
            TransientError: The list changed in each of three readings.
        """
        for _ in range(_WALKS):
            pages = await self._walk(day)
            if pages is not None:
                return pages
        raise TransientError(
            f"Kiosk GET {SALES_PATH}: the list changed during each of {_WALKS} readings.",
            remedy="Load the day again later.",
            day=day,
        )

    async def _walk(self, day: date) -> list[JsonResponse] | None:
        """All pages, or None if a sale is on two pages: the list moved between two requests."""
        pages: list[JsonResponse] = []
        sales: set[str] = set()
        number: int | None = 1
        while number is not None:
            if len(pages) == MOST_PAGES:
                raise UnexpectedPayloadError(
                    f"Kiosk GET {SALES_PATH}: the list has no end after {MOST_PAGES} pages.",
                    remedy="Ask the support of Kiosk how long the list is.",
                    day=day,
                )
            answer = await self.session.get(SALES_PATH, SALES_PATH, {"date": day.isoformat(), "page": str(number)})
            page = answer.read(SalesPage)
            keys = {sale.id for sale in page.sales}
            if keys & sales:
                return None
            sales |= keys
            pages.append(answer)
            number = page.next_page
        return pages

    async def campaigns(self) -> JsonResponse:
        """GET /campaigns: all campaigns as of now."""
        answer = await self.session.get(CAMPAIGNS_PATH, CAMPAIGNS_PATH)
        answer.read(CampaignList)
        return answer
