-- Installs of each channel on the 28 days that end with the newest complete week; null where the day has no row or no number.
with newest as (select account, max(week) as week from channel_weekly where is_complete group by account),
days as (
  select account, unnest(generate_series(week - 21, week + 6, interval 1 day))::date as date from newest
),
groups as (select distinct account, currency, channel from channel_weekly join newest using (account, week)),
sums as (
  select account, currency, channel, date, known_sum(installs) as installs from acquisition_daily group by all
)
select g.account, g.currency, g.channel, d.date, s.installs
from groups g
join days d using (account)
left join sums s using (account, currency, channel, date)
order by all
