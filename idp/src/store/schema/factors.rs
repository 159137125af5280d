//! The tables of passkeys and authenticator apps; `schema` has the others.

diesel::table! {
    passkeys (id) {
        id -> Text,
        account_id -> Text,
        credential -> Text,
        kept -> Text,
        label -> Text,
        synced -> Bool,
        sign_count -> BigInt,
        created_at -> BigInt,
        used_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    passkey_ceremonies (id) {
        id -> Text,
        browser -> Text,
        purpose -> Text,
        subject -> Text,
        state -> Text,
        expires_at -> BigInt,
        spent_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    totps (id) {
        id -> Text,
        account_id -> Text,
        browser -> Text,
        secret -> Text,
        last_step -> BigInt,
        created_at -> BigInt,
        confirmed_at -> Nullable<BigInt>,
    }
}
