(select null::bigint as id, null::text as runner, null::text as migration, null::text as action,
        null::boolean as transactional, null::timestamptz as started_at, null::timestamptz as finished_at,
        null::boolean as success, null::text as error, null::text as checksum
 where false)
