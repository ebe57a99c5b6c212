-- Weeks of each channel. D7 and D30 are those of weeks with seven stored days whose cohorts have all reached that day.
with weeks as (
  select
    account, week_of(date) as week, channel, currency,
    known_sum(spend)::decimal(18, 6) as spend,
    bool_or(spend_is_masked) as spend_is_masked,
    known_sum(installs)::bigint as installs,
    bool_or(installs_is_masked) as installs_is_masked,
    known_sum(d7_revenue)::decimal(18, 6) as known_d7_revenue,
    known_sum(d30_revenue)::decimal(18, 6) as known_d30_revenue,
    sum(cells)::bigint as cells,
    sum(masked_cells)::bigint as masked_cells
  from acquisition_daily
  group by all
),
figures as (
  select
    *,
    ratio(spend, installs) as cac,
    case when days_stored = 7 and reach >= 7 then known_d7_revenue end as d7_revenue,
    case when days_stored = 7 and reach >= 30 then known_d30_revenue end as d30_revenue
  from weeks
  join week_reach using (account, week)
)
select
  f.account, f.week, f.channel, f.currency,
  f.days_stored,
  f.days_stored = 7 as is_complete,
  f.spend, f.spend_is_masked, f.installs, f.installs_is_masked, f.cac,
  f.d7_revenue, ratio(f.d7_revenue, f.spend) as d7_roas, ratio(f.d7_revenue, f.installs) as d7_ltv,
  f.d30_revenue, ratio(f.d30_revenue, f.spend) as d30_roas, ratio(f.d30_revenue, f.installs) as d30_ltv,
  ratio(f.spend - p.spend, p.spend) as spend_change,
  ratio(f.installs - p.installs, p.installs) as installs_change,
  ratio(f.cac - p.cac, p.cac) as cac_change,
  f.cells, f.masked_cells, ratio(f.masked_cells, f.cells) as masked_share
from figures f
left join figures p
  on p.account = f.account and p.channel = f.channel and p.currency = f.currency
  and p.week = f.week - 7 and p.days_stored = 7 and f.days_stored = 7
