//! The one hardened outbound HTTP client.
