"""Tables of Kiosk. The Parquet schema, validation, catalog and docs follow from these declarations."""

import pyarrow as pa

from analytics_assets.lake.raw import raw_table
from analytics_assets.lake.table import DATE, MONEY, Column, Origin, Table

DOCS_URL = "https://docs.kiosk.example/api"

SALES_RAW = raw_table("sales_raw", "Pages of the sales of one day.", DOCS_URL)

SALES = Table(
    name="sales",
    description="Sales of a day, one row per channel and currency. Never add revenue across currencies.",
    docs_url=DOCS_URL,
    origin=Origin(SALES_RAW, "body"),
    key=("channel", "currency"),
    columns=(
        Column(DATE, pa.date32(), "The UTC day of the order.", made_from=(DATE,)),
        Column("channel", pa.string(), "Channel of the order, such as web or app."),
        Column("currency", pa.string(), "Currency of `revenue`, such as EUR."),
        Column("orders", pa.int64(), "Orders of the day, canceled ones included.", unit="orders"),
        Column("revenue", MONEY, "Revenue before tax.", unit="currency"),
    ),
)

CAMPAIGNS_RAW = raw_table("campaigns_raw", "The list of all campaigns.", DOCS_URL)

CAMPAIGNS = Table(
    name="campaigns",
    description="Campaigns as they were set up when the list was read. Kiosk has no history of them.",
    docs_url=DOCS_URL,
    origin=Origin(CAMPAIGNS_RAW, "body"),
    key=("campaign_id",),
    columns=(
        Column(DATE, pa.date32(), "The UTC day on which the list was read.", made_from=(DATE,)),
        Column("campaign_id", pa.string(), "Id of the campaign."),
        Column("name", pa.string(), "Name of the campaign."),
        Column("channel", pa.string(), "Channel of the campaign; null where not sent.", nullable=True),
        Column("is_active", pa.bool_(), "Whether the campaign runs; null where not sent.", nullable=True),
    ),
)
