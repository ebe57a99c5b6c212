-- Daily values of each metric, with its definition of the day. A metric of several events has a definition row for each event.
with definitions as (
  select
    account, date, metric_name, metric_type,
    md5(string_agg(distinct definition, chr(10) order by definition)) as definition_hash,
    bool_or(is_reconstructed) as definition_is_reconstructed
  from metric_definitions
  group by all
)
select
  v.account, v.date, v.metric_name, v.metric_type, v.unit_type, v.is_overall, v.display_name, v.value, v.numerator, v.denominator,
  d.definition_hash,
  d.definition_is_reconstructed,
  d.definition_hash <> lag(d.definition_hash ignore nulls) over (
    partition by v.account, v.metric_name, v.metric_type, v.unit_type order by v.date
  ) as definition_changed
from metric_values v
left join definitions d using (account, date, metric_name, metric_type)
