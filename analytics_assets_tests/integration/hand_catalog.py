"""Airbridge's catalogue as its page lists it, typed out: metrics, dimensions and events, each with the entry as sent."""

from datetime import date

from analytics_assets_tests.integration.hand_world import NOW, table

# The reading is made at 05:30 of the 14th in Seoul.
_SEEN = {"date": date(2025, 6, 14), "observed_at": NOW}
# fmt: off
_METRICS = table(
    ("section", "key", "name", "description", "value_type", "aggregations", "entry"),
    ("Metric", "app_revenue", "Revenue", "Sum of value generated from revenue events", "number", ["cumulative", "on-day"],
     '{"key":"app_revenue","name":"Revenue","description":"Sum of value generated from revenue events","valueType":"number","aggregationType":["cumulative","on-day"]}'),
    ("Metric", "app_user_count", "User Count", "The total number of unique users who performed revenue events", "integer", ["on-day", "unique-cumulative"],
     '{"key":"app_user_count","name":"User Count","description":"The total number of unique users who performed revenue events","valueType":"integer","aggregationType":["on-day","unique-cumulative"]}'),
    ("Metric", "app_event_count", "Event Count", "The total number of revenue events", "integer", ["cumulative", "on-day"],
     '{"key":"app_event_count","name":"Event Count","description":"The total number of revenue events","valueType":"integer","aggregationType":["cumulative","on-day"]}'),
    ("Metric", "app_roas", "ROAS", "Return on ad spend<br>Revenue/Total Cost", "number", ["cumulative"],
     '{"key":"app_roas","name":"ROAS","description":"Return on ad spend<br>Revenue/Total Cost","valueType":"number","aggregationType":["cumulative"]}'),
    ("Metric", "app_arpu", "ARPU", "Average revenue per user who performed Start Event", "number", ["cumulative"],
     '{"key":"app_arpu","name":"ARPU","description":"Average revenue per user who performed Start Event","valueType":"number","aggregationType":["cumulative"]}'),
    ("Metric", "app_arppu", "ARPPU", "Average revenue per paying user", "number", ["cumulative"],
     '{"key":"app_arppu","name":"ARPPU","description":"Average revenue per paying user","valueType":"number","aggregationType":["cumulative"]}'),
    ("Sub Metric", "customer_acquisition_cost", "CAC", "Customer Acquisition Cost; the average cost to acquire a user who performed Start Event within the set date range<br>Total Cost/Users", "number", None,
     '{"key":"customer_acquisition_cost","name":"CAC","description":"Customer Acquisition Cost; the average cost to acquire a user who performed Start Event within the set date range<br>Total Cost/Users","valueType":"number","aggregationType":null}'),
    ("Sub Metric", "start_event_users", "Users", "The number of users who performed Start Event to open the app within the set date range", "integer", None,
     '{"key":"start_event_users","name":"Users","description":"The number of users who performed Start Event to open the app within the set date range","valueType":"integer","aggregationType":null}'),
    kind="metric", sub_group=None, example=None, is_filter=None, is_cost=None, type=None, **_SEEN,
)
_DIMENSIONS = table(
    ("section", "key", "name", "description", "example", "is_cost", "type", "entry"),
    ("Event Details", "is_first_event_per_user_id", "Is First Event per User ID", "Boolean type data to show whether the event has happened in the past. (per user id)\n- true: First Event. \n- false: Not the First Event\n\n(Both Web/App Event Available)", "true", False, "boolean",
     r'{"key":"is_first_event_per_user_id","name":"Is First Event per User ID","description":"Boolean type data to show whether the event has happened in the past. (per user id)\n- true: First Event. \n- false: Not the First Event\n\n(Both Web/App Event Available)","example":"true","isFilter":true,"type":"boolean","isCost":false}'),
    ("Event Details", "is_first_event_per_device_id", "Is First Event per Device ID", "Boolean type data to show whether the event has happened in the past. (per airbridge device id)\n- true: First Event. \n- false: Not the First Event\n\n(App Event Available Only)", "true", False, "boolean",
     r'{"key":"is_first_event_per_device_id","name":"Is First Event per Device ID","description":"Boolean type data to show whether the event has happened in the past. (per airbridge device id)\n- true: First Event. \n- false: Not the First Event\n\n(App Event Available Only)","example":"true","isFilter":true,"type":"boolean","isCost":false}'),
    ("Touchpoint", "channel", "Channel", "The media source of the touchpoint.", "moloco", True, "string",
     '{"key":"channel","name":"Channel","description":"The media source of the touchpoint.","example":"moloco","isFilter":true,"type":"string","isCost":true}'),
    ("Touchpoint", "campaign", "Campaign", "The campaign that generated the touchpoint. The campaign name entered in SAN or collected by the campaign parameter of the tracking link.", "2018_summer_campaign", True, "string",
     '{"key":"campaign","name":"Campaign","description":"The campaign that generated the touchpoint. The campaign name entered in SAN or collected by the campaign parameter of the tracking link.","example":"2018_summer_campaign","isFilter":true,"type":"string","isCost":true}'),
    ("Touchpoint", "ad_creative", "Ad Creative", "The creative that generated the touchpoint.", "ad-1", False, "string",
     '{"key":"ad_creative","name":"Ad Creative","description":"The creative that generated the touchpoint.","example":"ad-1","isFilter":true,"type":"string","isCost":false}'),
    ("Touchpoint", "content", "Content", "The content parameter of the tracking link.", "banner", False, "string",
     '{"key":"content","name":"Content","description":"The content parameter of the tracking link.","example":"banner","isFilter":true,"type":"string","isCost":false}'),
    ("Touchpoint", "medium", "Medium", "The medium parameter of the tracking link.", "cpc", False, "string",
     '{"key":"medium","name":"Medium","description":"The medium parameter of the tracking link.","example":"cpc","isFilter":true,"type":"string","isCost":false}'),
    ("Location", "country", "Country", "The country of the user, by IP address.", "KR", False, "string",
     '{"key":"country","name":"Country","description":"The country of the user, by IP address.","example":"KR","isFilter":true,"type":"string","isCost":false}'),
    kind="group_by", is_filter=True, value_type=None, aggregations=None, sub_group=None, **_SEEN,
)
_EVENTS = table(
    ("section", "sub_group", "key", "name", "description", "entry"),
    ("Return Event", "App Standard Event", "app_order_complete", "Order Complete (App)", "Order Complete (App) event performed by users who performed the start event within the set date range",
     '{"subGroup":"App Standard Event","key":"app_order_complete","name":"Order Complete (App)","description":"Order Complete (App) event performed by users who performed the start event within the set date range"}'),
    ("Return Event", "App Standard Event", "app_first_order_complete", "First Order Complete (App)", "First Order Complete (App) event performed by users who performed the start event within the set date range",
     '{"subGroup":"App Standard Event","key":"app_first_order_complete","name":"First Order Complete (App)","description":"First Order Complete (App) event performed by users who performed the start event within the set date range"}'),
    ("Return Event", "App Standard Event", "app_ad_impression", "Ad Impression (App)", "Ad Impression (App) event performed by users who performed the start event within the set date range",
     '{"subGroup":"App Standard Event","key":"app_ad_impression","name":"Ad Impression (App)","description":"Ad Impression (App) event performed by users who performed the start event within the set date range"}'),
    ("Return Event", "App Standard Event", "app_ad_click", "Ad Click (App)", "Ad Click (App) event performed by users who performed the start event within the set date range",
     '{"subGroup":"App Standard Event","key":"app_ad_click","name":"Ad Click (App)","description":"Ad Click (App) event performed by users who performed the start event within the set date range"}'),
    ("Return Event", "App Standard Event", "app_subscribe", "Subscribe (App)", "Subscribe (App) event performed by users who performed the start event within the set date range",
     '{"subGroup":"App Standard Event","key":"app_subscribe","name":"Subscribe (App)","description":"Subscribe (App) event performed by users who performed the start event within the set date range"}'),
    ("Start Event", "", "app_install", "Install (App)", "Install occurred within the set date range",
     '{"subGroup":"","key":"app_install","name":"Install (App)","description":"Install occurred within the set date range"}'),
    ("Start Event", "", "app_deeplink_open", "Deeplink Open (App)", "Deeplink Open occurred within the set date range",
     '{"subGroup":"","key":"app_deeplink_open","name":"Deeplink Open (App)","description":"Deeplink Open occurred within the set date range"}'),
    ("Start Event", "", "app_deeplink_pageview", "Deeplink Pageview (App)", "Deeplink Pageview occurred within the set date range",
     '{"subGroup":"","key":"app_deeplink_pageview","name":"Deeplink Pageview (App)","description":"Deeplink Pageview occurred within the set date range"}'),
    ("Start Event", "", "app_sign_up", "Sign-up (App)", "Sign-up occurred within the set date range",
     '{"subGroup":"","key":"app_sign_up","name":"Sign-up (App)","description":"Sign-up occurred within the set date range"}'),
    ("Start Event", "", "app_sign_in", "Sign-in (App)", "Sign-in occurred within the set date range",
     '{"subGroup":"","key":"app_sign_in","name":"Sign-in (App)","description":"Sign-in occurred within the set date range"}'),
    kind="event", value_type=None, aggregations=None, example=None, is_filter=None, is_cost=None, type=None, **_SEEN,
)
# fmt: on
CATALOG = [*_METRICS, *_DIMENSIONS, *_EVENTS]
