//! Entities of ardb: packages, versions, dependencies, advisories, inventories.
