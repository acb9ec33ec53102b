//! Entities of identitydb: users, emails, organizations, members.
