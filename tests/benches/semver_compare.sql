-- The peer of the benchmark: Semantic Versioning 2.0.0, item 11, as a function of the database. Below 0, 0, above 0.
create function semver_compare(a text, b text) returns integer
    language plpgsql immutable parallel safe
    as $$
declare
    -- Build metadata does not count.
    a_parts text[] := regexp_match(a, '^(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?');
    b_parts text[] := regexp_match(b, '^(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?');
    a_names text[];
    b_names text[];
    order_of integer;
begin
    for part in 1..3 loop
        order_of := sign(a_parts[part]::numeric - b_parts[part]::numeric);
        if order_of <> 0 then
            return order_of;
        end if;
    end loop;
    if a_parts[4] is null or b_parts[4] is null then
        return (a_parts[4] is null)::integer - (b_parts[4] is null)::integer;
    end if;
    a_names := string_to_array(a_parts[4], '.');
    b_names := string_to_array(b_parts[4], '.');
    for place in 1..least(cardinality(a_names), cardinality(b_names)) loop
        if a_names[place] ~ '^\d+$' and b_names[place] ~ '^\d+$' then
            order_of := sign(a_names[place]::numeric - b_names[place]::numeric);
        elsif a_names[place] ~ '^\d+$' then
            order_of := -1;
        elsif b_names[place] ~ '^\d+$' then
            order_of := 1;
        elsif a_names[place] collate "C" < b_names[place] collate "C" then
            order_of := -1;
        else
            order_of := (a_names[place] <> b_names[place])::integer;
        end if;
        if order_of <> 0 then
            return order_of;
        end if;
    end loop;
    return sign(cardinality(a_names) - cardinality(b_names));
end
$$;
