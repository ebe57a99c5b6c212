-- Weeks of each account: how many of their days are stored, and the day since start that all their cohorts have reached.
with days as (
  select d.account, d.date, max(c.days_since_start) filter (c.is_reached) as reach
  from stored_days d
  left join cohorts c using (account, date)
  group by all
),
last_days as (
  select account, max(date + reach::integer) as last_day from days group by all
)
select
  account,
  week_of(date) as week,
  count(*) as days_stored,
  -- An empty day has no cells. It has reached what its age is on the last day that the account's cohorts have reached.
  min(coalesce(reach, least(last_day - date, 32767), -1))::smallint as reach
from days
join last_days using (account)
group by all
