-- Sign-ups by source in the newest week with sign-ups on seven days, beside the week before.
with days as (
  select account, week_of(date) as week, count(distinct date) as days from signups_daily group by all
),
newest as (select account, max(week) as week from days where days = 7 group by account),
sums as (
  select s.account, n.week, week_of(s.date) = n.week as is_now, s.source, any_value(s.label) as label, known_sum(s.signups) as signups
  from signups_daily s
  join newest n on n.account = s.account and week_of(s.date) in (n.week, n.week - 7)
  join days d on d.account = s.account and d.week = week_of(s.date) and d.days = 7
  group by all
),
pairs as (
  select
    account, week, source, max(label) as label,
    max(signups) filter (is_now) as signups, max(signups) filter (not is_now) as signups_before
  from sums
  group by all
)
select account, week, source, label, signups, ratio(signups - signups_before, signups_before) as signups_change
from pairs
where signups is not null
order by account, signups desc, source
