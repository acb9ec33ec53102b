-- What package_search_entries should hold.
select made.package_id, made.name, made.document, count(dependent.dependent_package_id) as popularity
from package_search_documents made
left join dependents dependent
    on dependent.package_id = made.package_id and dependent.dependent_package_id <> made.package_id
group by made.package_id, made.name, made.document
