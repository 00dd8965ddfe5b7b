//! Seeded DNA.
