//! Entities of analyticsdb: reports and their refresh history.
