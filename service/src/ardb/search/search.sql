-- Live packages that $1 (words) finds, ranked; where those are few, also those whose name is like $2 (lower case). In
-- ecosystem $3 (null: any), with a stable version if $4, under licence $9, with keyword $10, in category $11 (each null:
-- any). After score $5, popularity $6, downloads $12 and package $7 (null: from the first), at most $8, and in all no more
-- than $13; few is less than $14.
--
-- How alike two names are takes as long to say as to read a hundred rows, so it is said of the best candidates only, and
-- looked for only where words find fewer than a page or two.
with asked as materialized (
    select websearch_to_tsquery('pg_catalog.simple', $1::text) as words, $2::text as name
),
narrowed as not materialized (
    select entry.*
    from package_search_entries entry
    where (
          $3::text is null
          or exists (
              select
              from packages package
              join ecosystems ecosystem on ecosystem.id = package.ecosystem_id and ecosystem.name = $3
              where package.id = entry.package_id
          )
      )
      and (
          not $4::boolean
          or exists (
              select
              from latest_versions latest
              where latest.package_id = entry.package_id and latest.newest_stable_version_id is not null
          )
      )
      and (
          $9::text is null
          or exists (
              select
              from latest_versions latest
              join versions version on version.id = coalesce(latest.newest_stable_version_id, latest.newest_version_id)
              join licences licence on licence.id = version.licence_id and licence.deleted_at is null
              where latest.package_id = entry.package_id
                and lower($9) = any (
                    regexp_split_to_array(lower(licence.expression), '[\s()]+') || lower(licence.expression)
                )
          )
      )
      and (
          $10::text is null
          or exists (
              select
              from keywords keyword
              join keywords_packages pair on pair.keyword_id = keyword.id and pair.deleted_at is null
              where keyword.name = lower($10) and keyword.deleted_at is null and pair.package_id = entry.package_id
          )
      )
      and (
          $11::text is null
          or exists (
              select
              from categories category
              join categories_packages pair on pair.category_id = category.id and pair.deleted_at is null
              where category.slug = $11 and category.deleted_at is null and pair.package_id = entry.package_id
          )
      )
),
-- A hit in the name, which is a rank of 3 and over, comes before all others, and the name itself before those.
by_words as materialized (
    select
        entry.package_id,
        entry.name,
        entry.popularity,
        entry.downloads,
        entry.name = asked.name or right(entry.name, length(asked.name) + 1) = '/' || asked.name as is_exact,
        round(5 * least(ts_rank(entry.document, asked.words), 1)) as rank
    from asked
    join narrowed entry on entry.document @@ asked.words
    order by is_exact desc, rank desc, entry.popularity desc, entry.downloads desc, entry.package_id
    limit $13
),
by_likeness as (
    select
        entry.package_id,
        entry.name,
        entry.popularity,
        entry.downloads,
        entry.name = asked.name or right(entry.name, length(asked.name) + 1) = '/' || asked.name as is_exact,
        0 as rank
    from asked
    join narrowed entry on entry.name % asked.name or asked.name <% entry.name
    where (select count(*) from by_words) < $14
      -- What is asked to be without something is not like it.
      and position('!' in asked.words::text) = 0
      and not exists (select from by_words known where known.package_id = entry.package_id)
    order by
        is_exact desc,
        greatest(similarity(entry.name, asked.name), word_similarity(asked.name, entry.name)) desc,
        entry.popularity desc,
        entry.downloads desc,
        entry.package_id
    limit $13
),
found as materialized (
    select
        candidate.package_id,
        candidate.popularity,
        candidate.downloads,
        -- Coarse, so that among names that are about as good the popular one comes first.
        (
            case when candidate.is_exact then 10 else 0 end
            + round(5 * greatest(similarity(candidate.name, asked.name), word_similarity(asked.name, candidate.name)))
            + candidate.rank
        )::integer as score
    from asked
    cross join (select * from by_words union all select * from by_likeness) candidate
),
page as materialized (
    select *
    from found
    where $7::bigint is null
       or (score, popularity, downloads, -package_id) < ($5::integer, $6::bigint, $12::bigint, -$7)
    order by score desc, popularity desc, downloads desc, package_id
    limit $8
)
select
    package.id as package_id,
    ecosystem.name as ecosystem,
    package.purl,
    package.namespace,
    package.name,
    newest.number as newest,
    stable.number as newest_stable,
    page.popularity,
    page.downloads,
    page.score
from page
join packages package on package.id = page.package_id
join ecosystems ecosystem on ecosystem.id = package.ecosystem_id
left join latest_versions latest on latest.package_id = package.id
left join versions newest on newest.id = latest.newest_version_id
left join versions stable on stable.id = latest.newest_stable_version_id
order by page.score desc, page.popularity desc, page.downloads desc, page.package_id
