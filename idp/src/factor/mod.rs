//! What a holder proves: password, one-time codes, and the brake on guessing.
