-- The newest complete week of each account beside the week before. `level`: 0 channels, 1 those with spend together, 2 all together.
with newest as (select account, max(week) as week from channel_weekly where is_complete group by account),
weeks as (
  select
    w.account, n.week, w.currency, w.channel, w.spend, w.spend_is_masked, w.installs, w.installs_is_masked, w.week = n.week as is_now
  from channel_weekly w
  join newest n on n.account = w.account and w.week in (n.week, n.week - 7)
  where w.is_complete
),
levels as (
  select account, week, currency, 0 as level, channel, is_now, spend, spend_is_masked, installs, installs_is_masked from weeks
  union all
  select
    account, week, currency, 1, '', is_now, known_sum(spend), bool_or(spend_is_masked), known_sum(installs), bool_or(installs_is_masked)
  from weeks
  where spend > 0
  group by all
  union all
  select
    account, week, currency, 2, '', is_now, known_sum(spend), bool_or(spend_is_masked), known_sum(installs), bool_or(installs_is_masked)
  from weeks
  group by all
),
pairs as (
  select
    account, week, currency, level, channel,
    coalesce(bool_or(spend_is_masked) filter (is_now), false) as spend_is_masked,
    coalesce(bool_or(installs_is_masked) filter (is_now), false) as installs_is_masked,
    max(spend) filter (is_now) as spend, max(spend) filter (not is_now) as spend_before,
    max(installs) filter (is_now) as installs, max(installs) filter (not is_now) as installs_before
  from levels
  group by all
)
select
  account, week, currency, level, channel, spend, spend_is_masked, installs, installs_is_masked,
  ratio(spend, installs) as cac,
  ratio(spend - spend_before, spend_before) as spend_change,
  ratio(installs - installs_before, installs_before) as installs_change,
  ratio(ratio(spend, installs) - ratio(spend_before, installs_before), ratio(spend_before, installs_before)) as cac_change
from pairs
order by account, currency, level, spend desc nulls last, installs desc nulls last, channel
