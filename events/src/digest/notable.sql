SELECT occurred_at, toString(kind) AS kind, actor, repository, subject, title, url
FROM events FINAL
WHERE tenant = {tenant:String}
  AND occurred_at >= {from:DateTime64(3, 'UTC')}
  AND occurred_at < {until:DateTime64(3, 'UTC')}
  AND received_at <= {watermark:DateTime64(3, 'UTC')}
  AND ({repository:String} = '' OR repository = {repository:String})
  AND ({owner:String} = '' OR startsWith(repository, {owner:String}))
  AND ({actor:String} = '' OR actor = {actor:String})
  AND title != ''
ORDER BY
    multiIf(
        events.kind IN ('release.published', 'release.released', 'repository.created'), 5,
        startsWith(events.kind, 'security_advisory.') OR events.kind = 'dependabot_alert.created', 4,
        events.kind = 'pull_request.closed' AND attributes['pull_request.merged'] = 'true', 3,
        events.kind IN ('pull_request.opened', 'issues.opened', 'discussion.created'), 2,
        events.kind IN ('push', 'commit'), 1,
        0
    ) DESC,
    occurred_at DESC,
    event_id DESC
LIMIT 1 BY title
LIMIT {limit:UInt32}
