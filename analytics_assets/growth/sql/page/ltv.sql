-- LTV curves of each channel over the newest four complete weeks that have all reached the same day: 30, or 14 or 7 in a young lake.
with reaches as (
  select account, week, max(days_since_start) as reach from cohort_ltv where is_complete group by all
),
horizons as (
  select account, max(horizon) as horizon
  from reaches
  join (values (7), (14), (30)) as steps(horizon) on reach >= horizon
  group by account
),
weeks as (
  select account, week, horizon
  from reaches
  join horizons using (account)
  where reach >= horizon
  qualify row_number() over (partition by account order by week desc) <= 4
),
spends as (
  select account, currency, channel, known_sum(spend) as spend
  from channel_weekly
  where (account, week) in (select (account, week) from weeks)
  group by all
)
select
  c.account, c.currency, c.channel, c.days_since_start, any_value(w.horizon) as horizon,
  min(min(c.week)) over (partition by c.account) as first_week,
  max(max(c.week)) over (partition by c.account) as last_week,
  known_sum(c.installs) as installs,
  ratio(known_sum(c.revenue), known_sum(c.installs)) as ltv,
  ratio(known_sum(c.revenue), any_value(s.spend)) as roas,
  ratio(any_value(s.spend), known_sum(c.installs)) as cac,
  ratio(sum(c.masked_cells), sum(c.cells)) as masked_share
from cohort_ltv c
join weeks w using (account, week)
left join spends s using (account, currency, channel)
where c.days_since_start <= w.horizon
group by c.account, c.currency, c.channel, c.days_since_start
order by all
