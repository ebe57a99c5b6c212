-- D7 figures of the newest week whose seven cohorts have all reached day 7, beside the week before. `level` as in last_week.sql.
with newest as (select account, max(week) as week from cohort_ltv where is_complete and days_since_start = 7 group by account),
weeks as (
  select
    w.account, n.week, w.currency, w.channel, w.spend, w.installs, w.d7_revenue, w.cells, w.masked_cells, w.week = n.week as is_now
  from channel_weekly w
  join newest n on n.account = w.account and w.week in (n.week, n.week - 7)
  where w.is_complete
),
levels as (
  select account, week, currency, 0 as level, channel, is_now, spend, installs, d7_revenue, cells, masked_cells from weeks
  union all
  select
    account, week, currency, 1, '', is_now, known_sum(spend), known_sum(installs), known_sum(d7_revenue), sum(cells), sum(masked_cells)
  from weeks
  where spend > 0
  group by all
),
pairs as (
  select
    account, week, currency, level, channel,
    max(spend) filter (is_now) as spend, max(spend) filter (not is_now) as spend_before,
    max(installs) filter (is_now) as installs,
    max(d7_revenue) filter (is_now) as revenue, max(d7_revenue) filter (not is_now) as revenue_before,
    ratio(max(masked_cells) filter (is_now), max(cells) filter (is_now)) as masked_share
  from levels
  group by all
)
select
  account, week, currency, level, channel, spend, installs, revenue, masked_share,
  ratio(revenue, installs) as ltv,
  ratio(revenue, spend) as roas,
  ratio(revenue, spend) - ratio(revenue_before, spend_before) as roas_difference
from pairs
order by account, currency, level, spend desc nulls last, installs desc nulls last, channel
