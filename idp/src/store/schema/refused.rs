//! What clients were refused, for their own teams.

diesel::table! {
    refused_requests (id) {
        id -> Text,
        client_id -> Text,
        reference -> Text,
        at -> BigInt,
        endpoint -> Text,
        error -> Text,
        told -> Text,
        reason -> Nullable<Text>,
        clause -> Text,
        parameters -> Text,
        repeated -> BigInt,
    }
}
