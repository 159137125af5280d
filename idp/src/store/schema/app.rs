//! The tables of the VNeID app as the queries see them; the tests hold them to the migrations.

diesel::table! {
    app_devices (id) {
        id -> Text,
        account_id -> Text,
        name -> Text,
        key -> Text,
        bound_at -> BigInt,
        used_at -> Nullable<BigInt>,
        removed_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    app_bindings (code) {
        code -> Text,
        account_id -> Text,
        opened_at -> BigInt,
        expires_at -> BigInt,
        spent_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    app_tickets (id) {
        id -> Text,
        ticket -> Text,
        interaction_id -> Text,
        screen -> Text,
        account_id -> Nullable<Text>,
        device_id -> Nullable<Text>,
        challenge -> Nullable<Text>,
        contested -> Bool,
        tries -> SmallInt,
        factors -> Nullable<Text>,
        made_at -> BigInt,
        expires_at -> BigInt,
        ended -> Nullable<Text>,
    }
}
