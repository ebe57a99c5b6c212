-- Revenue by source in the newest week with sign-ups on seven days.
with days as (
  select account, week_of(date) as week, count(distinct date) as days from signups_daily group by all
),
newest as (select account, max(week) as week from days where days = 7 group by account)
select
  r.account, n.week, r.source, r.revenue_mode, r.currency,
  known_sum(r.revenue) as revenue, coalesce(bool_or(r.is_truncated), false) as is_truncated
from source_revenue_daily r
join newest n on n.account = r.account and week_of(r.date) = n.week
group by all
having known_sum(r.revenue) is null or known_sum(r.revenue) <> 0
order by r.account, r.revenue_mode, r.currency, revenue desc nulls last, r.source
