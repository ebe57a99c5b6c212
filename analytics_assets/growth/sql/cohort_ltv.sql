-- LTV curves by cohort week and channel. A curve ends where the youngest stored cohort of its week ends.
with cells as (
  select
    c.account, week_of(c.date) as week, m.channel, c.days_since_start, c.currency,
    known_sum(c.value)::decimal(18, 6) as revenue,
    count(*) as cells,
    count(*) filter (c.is_masked) as masked_cells
  from cohorts c
  join channel_map m on m.source_system = c.source_system and m.raw_name = c.channel
  where c.is_reached
  group by all
),
installs as (
  select t.account, week_of(t.date) as week, m.channel, t.currency, known_sum(t.users)::bigint as installs
  from totals t
  join channel_map m on m.source_system = t.source_system and m.raw_name = t.channel
  group by all
)
select
  account, week, channel, days_since_start, currency,
  installs,
  revenue,
  ratio(revenue, installs) as ltv,
  cells,
  masked_cells,
  ratio(masked_cells, cells) as masked_share,
  days_stored = 7 as is_complete
from cells
join week_reach using (account, week)
left join installs using (account, week, channel, currency)
where days_since_start <= reach
