//! The tables of registration and activation.

diesel::table! {
    enrolments (id) {
        id -> Text,
        holder -> Text,
        level -> Nullable<SmallInt>,
        channel -> Text,
        state -> Text,
        reason -> Nullable<Text>,
        person_index -> Text,
        person -> Text,
        particulars -> Text,
        phone -> Nullable<Text>,
        phone_index -> Nullable<Text>,
        phone_proved_at -> Nullable<BigInt>,
        account_id -> Nullable<Text>,
        officer_id -> Nullable<Text>,
        created_at -> BigInt,
        submitted_at -> Nullable<BigInt>,
        decide_by -> Nullable<BigInt>,
        decided_at -> Nullable<BigInt>,
        notified_at -> Nullable<BigInt>,
        activate_by -> Nullable<BigInt>,
        due_at -> Nullable<BigInt>,
        tries -> BigInt,
        version -> BigInt,
    }
}

diesel::table! {
    enrolment_evidence (enrolment_id, proof) {
        enrolment_id -> Text,
        proof -> Text,
        reference -> Text,
        recorded_by -> Text,
        recorded_at -> BigInt,
    }
}

diesel::table! {
    phone_codes (id) {
        id -> Text,
        place -> Text,
        purpose -> Text,
        phone -> Text,
        code -> Text,
        sent_at -> BigInt,
        expires_at -> BigInt,
        spent_at -> Nullable<BigInt>,
    }
}

diesel::joinable!(enrolment_evidence -> enrolments (enrolment_id));
diesel::allow_tables_to_appear_in_same_query!(enrolments, enrolment_evidence);
