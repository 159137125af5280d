//! The tables of cases, of messages to holders and of what the registers told.

diesel::table! {
    cases (id) {
        id -> Text,
        account_id -> Text,
        about -> Text,
        subject -> Text,
        opened_at -> BigInt,
        closed_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    case_steps (case_id, step) {
        case_id -> Text,
        step -> Text,
        at -> BigInt,
        by_whom -> Nullable<Text>,
        note -> Nullable<Text>,
    }
}

diesel::table! {
    holder_notices (id) {
        id -> Text,
        account_id -> Text,
        news -> Text,
        of_what -> Text,
        attempts -> BigInt,
        next_at -> BigInt,
        expires_at -> BigInt,
    }
}

diesel::table! {
    register_events (id) {
        id -> Text,
        kind -> Text,
        account_id -> Nullable<Text>,
        happened_at -> BigInt,
        applied_at -> BigInt,
        outcome -> Text,
    }
}

diesel::table! {
    register_feeds (name) {
        name -> Text,
        cursor -> Text,
        read_at -> BigInt,
        newest_at -> Nullable<BigInt>,
    }
}
