-- Sign-ups by source. Counts repeat for each revenue mode and currency, so one row of each source is taken.
select account, date, source, label, signups, customers
from attribution
where is_counted and is_main_currency
