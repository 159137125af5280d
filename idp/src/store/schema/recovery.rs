//! Recoveries and changes of password and phone.

diesel::table! {
    recoveries (id) {
        id -> Text,
        browser -> Text,
        person_index -> Text,
        account_id -> Nullable<Text>,
        code -> Nullable<Text>,
        code_expires_at -> Nullable<BigInt>,
        phone_proved_at -> Nullable<BigInt>,
        second -> Nullable<Text>,
        second_proved_at -> Nullable<BigInt>,
        ready_at -> Nullable<BigInt>,
        stop_code -> Nullable<Text>,
        began_at -> BigInt,
        expires_at -> BigInt,
        ended_at -> Nullable<BigInt>,
        ending -> Nullable<Text>,
    }
}

diesel::table! {
    changes (id) {
        id -> Text,
        account_id -> Text,
        session_id -> Text,
        kind -> Text,
        value -> Text,
        owner_proved_at -> Nullable<BigInt>,
        phone_proved_at -> Nullable<BigInt>,
        began_at -> BigInt,
        expires_at -> BigInt,
        ended_at -> Nullable<BigInt>,
    }
}
