-- The local midnight at which the period that ends before `until` begins. Its last day is the one that its
-- last millisecond lies in.
SELECT toTimeZone(multiIf(
    {period:String} = 'day', toDateTime64(last_day, 3, {time_zone:String}),
    {period:String} = 'week', toDateTime64(addDays(last_day, -6), 3, {time_zone:String}),
    {period:String} = 'month', toDateTime64(addDays(addMonths(last_day, -1), 1), 3, {time_zone:String}),
    toDateTime64('1900-01-01 00:00:00', 3, {time_zone:String})
), 'UTC') AS from_at
FROM (SELECT toDate32(addMilliseconds({until:DateTime64(3, 'UTC')}, -1), {time_zone:String}) AS last_day)
