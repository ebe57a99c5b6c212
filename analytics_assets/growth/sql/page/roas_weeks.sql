-- D7 ROAS of the last twelve weeks whose cohorts have reached day 7, of channels with spend.
with newest as (select account, max(week) as week from channel_weekly where d7_revenue is not null group by account)
select w.account, w.currency, w.channel, w.week, w.d7_roas, w.installs
from channel_weekly w
join newest n on n.account = w.account and w.week > n.week - 84 and w.week <= n.week
where w.spend > 0
order by all
