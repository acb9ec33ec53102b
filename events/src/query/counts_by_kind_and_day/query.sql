SELECT
    toDate32(occurred_at, {time_zone:String}) AS day,
    kind,
    count() AS events,
    uniqExactIf(actor, actor != '') AS people
FROM events FINAL
WHERE tenant = {tenant:String}
  AND occurred_at >= {from:DateTime64(3, 'UTC')}
  AND occurred_at < {until:DateTime64(3, 'UTC')}
  AND ({repository:String} = '' OR repository = {repository:String})
  AND ({actor:String} = '' OR actor = {actor:String})
  AND ({kind:String} = '' OR kind = {kind:String} OR startsWith(kind, concat({kind:String}, '.')))
GROUP BY day, kind
ORDER BY day DESC, events DESC, kind
LIMIT {limit:UInt32}
