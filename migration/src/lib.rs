//! Migrations of every PostgreSQL database, for a plain `sea-orm-cli migrate`.
