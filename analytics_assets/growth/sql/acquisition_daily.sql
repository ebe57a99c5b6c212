-- Spend, installs and revenue of each day's cohorts, by channel and campaign.
with by_day as (
  select
    t.account, t.date, m.channel, t.campaign, t.currency,
    known_sum(t.cost)::decimal(18, 6) as spend,
    bool_or(t.cost_is_masked) as spend_is_masked,
    known_sum(t.users)::bigint as installs,
    bool_or(t.users_is_masked) as installs_is_masked
  from totals t
  join channel_map m on m.source_system = t.source_system and m.raw_name = t.channel
  group by all
),
cells as (
  select c.account, c.date, m.channel, c.campaign, c.currency, c.days_since_start as n, c.value, c.is_masked
  from cohorts c
  join channel_map m on m.source_system = c.source_system and m.raw_name = c.channel
  where c.is_reached
),
masks as (
  select account, date, channel, campaign, currency, count(*) as cells, count(*) filter (is_masked) as masked_cells
  from cells
  group by all
),
horizons as (
  select account, date, channel, campaign, currency, n, known_sum(value)::decimal(18, 6) as revenue
  from cells
  where n in (0, 1, 3, 7, 14, 30)
  group by all
),
wide as (
  select
    account, date, channel, campaign, currency,
    max(revenue) filter (n = 0) as d0_revenue,
    max(revenue) filter (n = 1) as d1_revenue,
    max(revenue) filter (n = 3) as d3_revenue,
    max(revenue) filter (n = 7) as d7_revenue,
    max(revenue) filter (n = 14) as d14_revenue,
    max(revenue) filter (n = 30) as d30_revenue
  from horizons
  group by all
)
select
  account, date, channel, campaign, currency,
  spend, spend_is_masked, installs, installs_is_masked,
  ratio(spend, installs) as cac,
  d0_revenue,
  case when d0_revenue is not null then installs end as d0_installs,
  case when d0_revenue is not null then spend end as d0_spend,
  ratio(d0_revenue, spend) as d0_roas,
  d1_revenue,
  case when d1_revenue is not null then installs end as d1_installs,
  case when d1_revenue is not null then spend end as d1_spend,
  ratio(d1_revenue, spend) as d1_roas,
  d3_revenue,
  case when d3_revenue is not null then installs end as d3_installs,
  case when d3_revenue is not null then spend end as d3_spend,
  ratio(d3_revenue, spend) as d3_roas,
  d7_revenue,
  case when d7_revenue is not null then installs end as d7_installs,
  case when d7_revenue is not null then spend end as d7_spend,
  ratio(d7_revenue, spend) as d7_roas,
  d14_revenue,
  case when d14_revenue is not null then installs end as d14_installs,
  case when d14_revenue is not null then spend end as d14_spend,
  ratio(d14_revenue, spend) as d14_roas,
  d30_revenue,
  case when d30_revenue is not null then installs end as d30_installs,
  case when d30_revenue is not null then spend end as d30_spend,
  ratio(d30_revenue, spend) as d30_roas,
  coalesce(cells, 0) as cells,
  coalesce(masked_cells, 0) as masked_cells,
  ratio(masked_cells, cells) as masked_share
from by_day
left join masks using (account, date, channel, campaign, currency)
left join wide using (account, date, channel, campaign, currency)
