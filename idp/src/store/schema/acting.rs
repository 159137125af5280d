//! The tables about acting for another, as the queries see them.

diesel::table! {
    representations (organisation_id, person_id) {
        organisation_id -> Text,
        person_id -> Text,
        role -> Text,
        bound_by -> Nullable<Text>,
        from_at -> BigInt,
        until_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    confirmations (id) {
        id -> Text,
        interaction_id -> Text,
        ward_id -> Text,
        guardian_id -> Text,
        client_id -> Text,
        acquaintance -> Text,
        network -> Text,
        asked_at -> BigInt,
        expires_at -> BigInt,
        answer -> Nullable<Text>,
        answered_at -> Nullable<BigInt>,
        spent_at -> Nullable<BigInt>,
    }
}
