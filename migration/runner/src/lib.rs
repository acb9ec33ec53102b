//! Applies and reverts SeaORM migrations under a lock, in one transaction.
