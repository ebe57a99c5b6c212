-- Points of complete curves that fall by more than the cells of their cohorts fall.
with points as (
  select *, lag(revenue) over (partition by account, week, channel, currency order by days_since_start) - revenue as fall
  from cohort_ltv
  where is_complete
),
cells as (
  select
    c.account, week_of(c.date) as week, m.channel, c.currency, c.days_since_start,
    lag(c.value) over (
      partition by c.account, c.date, c.channel, c.campaign, c.part, c.currency order by c.days_since_start
    ) - c.value as fall
  from cohorts c
  join channel_map m on m.source_system = c.source_system and m.raw_name = c.channel
  -- Weeks without a falling curve need no look at their cells.
  where (c.account, week_of(c.date)) in (select (account, week) from points where fall > 0)
),
cell_falls as (
  select account, week, channel, currency, days_since_start, sum(fall) filter (fall > 0) as cell_fall
  from cells
  group by all
)
select
  p.account, p.week, p.channel, p.currency, p.days_since_start, p.fall, coalesce(f.cell_fall, 0) as cell_fall
from points p
left join cell_falls f using (account, week, channel, currency, days_since_start)
where p.fall > coalesce(f.cell_fall, 0)
order by all
