//! The tables of sign-in through other providers.

diesel::table! {
    upstream_links (id) {
        id -> Text,
        account_id -> Text,
        issuer -> Text,
        subject -> Text,
        linked_at -> BigInt,
    }
}

diesel::table! {
    upstream_trips (state) {
        state -> Text,
        upstream -> Text,
        interaction_id -> Text,
        browser -> Text,
        linking -> Bool,
        begun_at -> BigInt,
        expires_at -> BigInt,
        spent_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    upstream_proofs (id) {
        id -> Text,
        upstream -> Text,
        issuer -> Text,
        subject -> Text,
        browser -> Text,
        interaction_id -> Text,
        origin_id -> Text,
        account_id -> Nullable<Text>,
        proved_at -> BigInt,
        expires_at -> BigInt,
        spent_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    upstream_sessions (session_id) {
        session_id -> Text,
        link_id -> Text,
        sid -> Nullable<Text>,
    }
}
