//! JSON Web Keys (RFC 7517): a key, a set of keys, and the life of a fetched set.
