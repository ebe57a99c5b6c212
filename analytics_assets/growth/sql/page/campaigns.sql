-- What each campaign adds to the change of D7 ROAS from the week before to the newest week whose cohorts have reached day 7.
-- They are the campaigns of channels with spend, so the parts add up to the change of these channels. A campaign with an unknown revenue is left
-- out and counted.
with newest as (select account, max(week) as week from cohort_ltv where is_complete and days_since_start = 7 group by account),
weeks as (
  select
    a.account, n.week, a.currency, a.channel, a.campaign, week_of(a.date) = n.week as is_now,
    known_sum(a.spend) as spend, known_sum(a.d7_revenue) as revenue
  from acquisition_daily a
  join newest n on n.account = a.account and week_of(a.date) in (n.week, n.week - 7)
  -- A day that is not stored would look like a campaign that stopped.
  where (a.account, n.week - 7) in (select (account, week) from channel_weekly where is_complete)
    and (a.account, week_of(a.date), a.currency, a.channel) in (
      select (account, week, currency, channel) from channel_weekly where spend > 0
    )
  group by all
),
pairs as (
  select
    account, week, currency, channel, campaign,
    coalesce(max(spend) filter (is_now), 0) as spend, coalesce(max(spend) filter (not is_now), 0) as spend_before,
    coalesce(max(revenue) filter (is_now), 0) as revenue, coalesce(max(revenue) filter (not is_now), 0) as revenue_before,
    count(*) = count(revenue) as is_known
  from weeks
  group by all
),
sums as (
  select
    account, currency, count(*) filter (not is_known) as left_out,
    sum(spend) filter (is_known) as spend, sum(spend_before) filter (is_known) as spend_before,
    sum(revenue) filter (is_known) as revenue, sum(revenue_before) filter (is_known) as revenue_before
  from pairs
  group by all
)
select
  p.account, p.week, p.currency, p.channel, p.campaign,
  p.spend, ratio(p.revenue, p.spend) as roas, p.spend_before, ratio(p.revenue_before, p.spend_before) as roas_before,
  ratio(p.revenue - ratio(s.revenue_before, s.spend_before) * p.spend, s.spend)
    - ratio(p.revenue_before - ratio(s.revenue_before, s.spend_before) * p.spend_before, s.spend_before) as part,
  ratio(s.revenue, s.spend) as all_roas, ratio(s.revenue_before, s.spend_before) as all_roas_before, s.left_out
from pairs p
join sums s using (account, currency)
where p.is_known
order by p.account, p.currency, abs(part) desc nulls last, p.channel, p.campaign
