//! The tables about clients that register themselves, as the queries see them; the tests hold them to the migrations.

diesel::table! {
    invitations (id) {
        id -> Text,
        token -> Text,
        policy -> Text,
        uses_left -> BigInt,
        created_at -> BigInt,
        expires_at -> BigInt,
        revoked_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    registrations (client_id) {
        client_id -> Text,
        invitation_id -> Text,
        token -> Text,
        registered_at -> BigInt,
    }
}

diesel::joinable!(registrations -> invitations (invitation_id));

diesel::allow_tables_to_appear_in_same_query!(registrations, invitations);
