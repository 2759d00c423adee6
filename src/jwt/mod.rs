//! Tokens: from the bytes of a compact JWS (RFC 7515 section 3.1) to an unverified, and then a verified, token.
