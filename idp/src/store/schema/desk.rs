//! What officers receive and decide.

diesel::table! {
    authority_requests (id) {
        id -> Text,
        account_id -> Text,
        wish -> Text,
        authority -> Text,
        paper -> Text,
        stage -> Text,
        received_by -> Text,
        received_at -> BigInt,
        forward_by -> BigInt,
        forwarded_by -> Nullable<Text>,
        forwarded_at -> Nullable<BigInt>,
        decide_by -> BigInt,
        decided_by -> Nullable<Text>,
        decided_at -> Nullable<BigInt>,
        reason -> Nullable<Text>,
    }
}

diesel::table! {
    officer_acts (officer_id, key) {
        officer_id -> Text,
        key -> Text,
        act -> Text,
        content -> Text,
        result -> Nullable<Text>,
        at -> BigInt,
    }
}
