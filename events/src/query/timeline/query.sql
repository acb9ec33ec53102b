SELECT
    occurred_at,
    kind,
    actor,
    subject,
    title,
    url,
    event_id
FROM events FINAL
WHERE tenant = {tenant:String}
  AND repository = {repository:String}
  AND occurred_at >= {from:DateTime64(3, 'UTC')}
  AND occurred_at <= {until:DateTime64(3, 'UTC')}
  AND (occurred_at, event_id) < ({until:DateTime64(3, 'UTC')}, {before_id:UUID})
  AND ({actor:String} = '' OR actor = {actor:String})
  AND ({kind:String} = '' OR kind = {kind:String} OR startsWith(kind, concat({kind:String}, '.')))
ORDER BY occurred_at DESC, event_id DESC
LIMIT {limit:UInt32}
