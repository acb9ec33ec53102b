-- One pass over the events for the total and for the counts by kind, by person and by day.
WITH
    toDateTime64(0, 3, 'UTC') AS unknown,
    -- grouping(x) is 0 where x is grouped by.
    multiIf(grouping(kind) = 0, 1, grouping(actor) = 0, 2, grouping(day) = 0, 3, 0) AS part_number
SELECT
    toUInt8(part_number) AS part,
    multiIf(part_number = 1, toString(kind), part_number = 2, actor, '') AS name,
    day,
    count() AS events,
    uniqExactIf(person, person != '') AS people,
    uniqExactIf(place, place != '') AS repositories,
    uniqExact(what) AS kinds,
    countIf(occurred_at = unknown) AS undated,
    minOrNullIf(occurred_at, occurred_at != unknown) AS first_at,
    maxOrNullIf(occurred_at, occurred_at != unknown) AS last_at,
    maxOrNull(received_at) AS arrived_at
FROM
(
    SELECT
        kind,
        actor,
        toDate32(occurred_at, {time_zone:String}) AS day,
        -- The same once more, because a column that is grouped by cannot be counted in the same pass.
        kind AS what,
        actor AS person,
        repository AS place,
        occurred_at,
        received_at
    FROM events FINAL
    WHERE tenant = {tenant:String}
      AND occurred_at >= {from:DateTime64(3, 'UTC')}
      AND occurred_at < {until:DateTime64(3, 'UTC')}
      AND received_at <= {watermark:DateTime64(3, 'UTC')}
      AND ({repository:String} = '' OR repository = {repository:String})
      AND ({owner:String} = '' OR startsWith(repository, {owner:String}))
      AND ({actor:String} = '' OR actor = {actor:String})
)
GROUP BY GROUPING SETS ((), (kind), (actor), (day))
HAVING part_number != 2 OR actor != ''
ORDER BY part, events DESC, name, day
-- The first of the kinds and people, but every day.
LIMIT {limit:UInt32} BY part, if(part = 3, day, toDate32('1970-01-01'))
