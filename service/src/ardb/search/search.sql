-- Live packages that $1 (words) finds or whose name is like $2 (lower case), in ecosystem $3 (null: any), with a stable
-- version if $4, ranked; after score $5, popularity $6 and package $7 (null: from the first), at most $8. Only those under
-- licence $9, with keyword $10, in category $11 (each null: any).
with asked as (
    select websearch_to_tsquery('pg_catalog.simple', $1::text) as words, $2::text as name
),
found as (
    select
        entry.package_id,
        entry.popularity,
        -- Coarse, so that among names that are about as good the popular one comes first.
        (
            case when entry.name = asked.name or right(entry.name, length(asked.name) + 1) = '/' || asked.name
                then 10 else 0 end
            + round(5 * greatest(similarity(entry.name, asked.name), word_similarity(asked.name, entry.name)))
            + round(5 * least(ts_rank(entry.document, asked.words), 1))
        )::integer as score
    from asked
    join package_search_entries entry
        on entry.document @@ asked.words or entry.name % asked.name or asked.name <% entry.name
)
select
    package.id as package_id,
    ecosystem.name as ecosystem,
    package.purl,
    package.namespace,
    package.name,
    newest.number as newest,
    stable.number as newest_stable,
    found.popularity,
    found.score
from found
join packages package on package.id = found.package_id and package.deleted_at is null
join ecosystems ecosystem on ecosystem.id = package.ecosystem_id
left join latest_versions latest on latest.package_id = package.id
left join versions newest on newest.id = latest.newest_version_id
left join versions stable on stable.id = latest.newest_stable_version_id
where ($3::text is null or ecosystem.name = $3)
  and (not $4::boolean or stable.id is not null)
  and (
      $9::text is null
      or exists (
          select
          from licences licence
          where licence.id = coalesce(stable.licence_id, newest.licence_id) and licence.deleted_at is null
            and lower($9) = any (regexp_split_to_array(lower(licence.expression), '[\s()]+') || lower(licence.expression))
      )
  )
  and (
      $10::text is null
      or exists (
          select
          from keywords keyword
          join keywords_packages pair on pair.keyword_id = keyword.id and pair.deleted_at is null
          where keyword.name = lower($10) and keyword.deleted_at is null and pair.package_id = package.id
      )
  )
  and (
      $11::text is null
      or exists (
          select
          from categories category
          join categories_packages pair on pair.category_id = category.id and pair.deleted_at is null
          where category.slug = $11 and category.deleted_at is null and pair.package_id = package.id
      )
  )
  and ($7::bigint is null or (found.score, found.popularity, -package.id) < ($5::integer, $6::bigint, -$7::bigint))
order by found.score desc, found.popularity desc, package.id
limit $8
