-- Revenue by source in major units: a hundredth of what Bento sends.
select account, date, source, label, revenue_mode, currency, (revenue_cents * 0.01)::decimal(18, 6) as revenue, revenue_truncated as is_truncated
from attribution
