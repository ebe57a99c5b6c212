-- Overall metrics of the newest week with values on seven days, beside the week before: a ratio of sums, or the average day.
with weeks as (
  select
    account, week_of(date) as week, metric_name, metric_type, any_value(display_name) as display_name,
    count(*) as days,
    case
      when bool_and(denominator is not null) then ratio(known_sum(numerator), known_sum(denominator))
      else known_sum(value) / 7
    end as value,
    coalesce(bool_or(definition_changed), false) as definition_changed
  from metric_daily
  where is_overall
  group by all
),
newest as (select account, max(week) as week from weeks where days = 7 group by account)
select
  w.account, w.week, w.metric_name, w.metric_type, w.display_name, w.value, p.value as value_before, w.definition_changed,
  ratio(w.value - p.value, abs(p.value)) as change
from weeks w
join newest n using (account, week)
join weeks p on p.account = w.account and p.metric_name = w.metric_name and p.metric_type = w.metric_type and p.week = w.week - 7
where w.days = 7 and p.days = 7 and w.value is not null and p.value is not null
order by w.account, abs(ratio(w.value - p.value, abs(p.value))) desc nulls last, w.metric_name, w.metric_type
