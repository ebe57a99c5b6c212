-- D7 ROAS of the last twelve weeks whose cohorts have reached day 7, of channels with spend.
with newest as (select account, max(week) as week from cohort_ltv where is_complete and days_since_start = 7 group by account)
select w.account, w.currency, w.channel, w.week, w.d7_roas, w.installs
from channel_weekly w
join newest n on n.account = w.account and w.week > n.week - 84 and w.week <= n.week
where w.spend > 0 and w.is_complete
order by all
