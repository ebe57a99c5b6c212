-- Planned spend of a month beside the spend of its stored days.
with months as (
  select account, date_trunc('month', date)::date as month, channel, currency, known_sum(spend)::decimal(18, 6) as spend
  from acquisition_daily
  group by all
),
days as (
  select account, date_trunc('month', date)::date as month, count(*) as days_stored
  from stored_days
  group by all
)
select
  p.account, p.month, p.channel, p.currency,
  p.amount as planned_spend,
  m.spend,
  ratio(m.spend, p.amount) as spend_share,
  coalesce(d.days_stored, 0) as days_stored,
  day(last_day(p.month)) as days_in_month
from plan p
left join months m using (account, month, channel, currency)
left join days d using (account, month)
