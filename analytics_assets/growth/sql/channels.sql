-- Raw names of each account, with the channel that the channel map gives them.
select
  t.account,
  t.source_system,
  t.channel as raw_name,
  m.channel,
  m.rule,
  m.rule is not null as is_mapped,
  min(t.date) as first_date,
  max(t.date) as last_date,
  bool_or(t.cost > 0) as has_spend
from totals t
join channel_map m on m.source_system = t.source_system and m.raw_name = t.channel
group by all
