SELECT
    actor,
    count() AS events,
    uniqExact(kind) AS kinds,
    uniqExactIf(repository, repository != '') AS repositories,
    min(occurred_at) AS first_at,
    max(occurred_at) AS last_at
FROM events FINAL
WHERE tenant = {tenant:String}
  AND occurred_at >= {from:DateTime64(3, 'UTC')}
  AND occurred_at < {until:DateTime64(3, 'UTC')}
  AND ({repository:String} = '' OR repository = {repository:String})
  AND ({kind:String} = '' OR kind = {kind:String} OR startsWith(kind, concat({kind:String}, '.')))
  AND actor != ''
  AND ({bots:Bool} OR NOT endsWith(actor, '[bot]'))
GROUP BY actor
ORDER BY events DESC, actor
LIMIT {limit:UInt32}
