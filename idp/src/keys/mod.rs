//! Keys: signing, verification, sealing at rest, blind indexes.
