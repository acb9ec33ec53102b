SELECT
    repository,
    count() AS events,
    uniqExactIf(actor, actor != '') AS people,
    uniqExact(kind) AS kinds,
    max(occurred_at) AS last_at
FROM events FINAL
WHERE tenant = {tenant:String}
  AND occurred_at >= {from:DateTime64(3, 'UTC')}
  AND occurred_at < {until:DateTime64(3, 'UTC')}
  AND ({actor:String} = '' OR actor = {actor:String})
  AND ({kind:String} = '' OR kind = {kind:String} OR startsWith(kind, concat({kind:String}, '.')))
  AND repository != ''
GROUP BY repository
ORDER BY events DESC, repository
LIMIT {limit:UInt32}
