//! What the migrated configurations decide.
