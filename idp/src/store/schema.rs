//! The tables as the queries see them; the tests hold them to the migrations.

mod acting;
mod app;
mod desk;
mod enrolment;
mod factors;
pub(super) mod recovery;
mod refused;
mod registration;
mod safety;
mod upstream;

pub use acting::{confirmations, representations};
pub use app::{app_bindings, app_devices, app_tickets};
pub use desk::{authority_requests, officer_acts};
pub use enrolment::{enrolment_evidence, enrolments, phone_codes};
pub use factors::{passkey_ceremonies, passkeys, totps};
pub use refused::refused_requests;
pub use registration::{invitations, registrations};
pub use safety::{case_steps, cases, holder_notices, register_events, register_feeds};
pub use upstream::{upstream_links, upstream_proofs, upstream_sessions, upstream_trips};

diesel::table! {
    accounts (id) {
        id -> Text,
        person_index -> Text,
        person -> Text,
        holder -> Text,
        level -> Nullable<SmallInt>,
        state -> Text,
        eid_issued_at -> Nullable<BigInt>,
        eid_version -> BigInt,
        card_expires -> Nullable<BigInt>,
        guardian_id -> Nullable<Text>,
        password_hash -> Nullable<Text>,
        phone -> Nullable<Text>,
        phone_index -> Nullable<Text>,
        created_at -> BigInt,
        updated_at -> BigInt,
        user_handle -> Nullable<Text>,
        passkey -> Nullable<Text>,
        has_totp -> Bool,
        recovered_at -> Nullable<BigInt>,
        reproofed_at -> Nullable<BigInt>,
        phone_counts_from -> Nullable<BigInt>,
        app_device -> Nullable<Text>,
        born -> Nullable<Text>,
        ward -> Bool,
        permit_expires -> Nullable<BigInt>,
        passport_expires -> Nullable<BigInt>,
        dissolved_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    eid_grounds (account_id, ground) {
        account_id -> Text,
        ground -> Text,
        authority -> Text,
        opened_at -> BigInt,
    }
}

diesel::table! {
    account_claims (account_id, claim) {
        account_id -> Text,
        claim -> Text,
        value -> Text,
        source -> Text,
        recorded_at -> BigInt,
    }
}

diesel::table! {
    throttles (key) {
        key -> Text,
        count -> BigInt,
        first_at -> BigInt,
        last_at -> BigInt,
    }
}

diesel::table! {
    devices (cookie, account_id) {
        cookie -> Text,
        account_id -> Text,
        remembered_at -> BigInt,
        agent -> Nullable<Text>,
        first_seen_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    clients (id) {
        id -> Text,
        metadata -> Text,
        status -> Text,
        secret -> Nullable<Text>,
        version -> BigInt,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    client_origins (client_id, origin) {
        client_id -> Text,
        origin -> Text,
    }
}

diesel::table! {
    client_keys (mark) {
        mark -> Text,
        client_id -> Text,
    }
}

diesel::table! {
    client_resources (resource) {
        resource -> Text,
        client_id -> Text,
    }
}

diesel::table! {
    subjects (account_id, sector) {
        account_id -> Text,
        sector -> Text,
        sub -> Text,
    }
}

diesel::table! {
    consents (id) {
        id -> Text,
        account_id -> Text,
        client_id -> Text,
        purpose -> Text,
        asked -> Text,
        granted -> Text,
        decided_at -> BigInt,
        legal_basis -> Text,
        text_hash -> Text,
        language -> Text,
        authentication_level -> SmallInt,
        ended_at -> Nullable<BigInt>,
        ended_by -> Nullable<Text>,
        actor_id -> Nullable<Text>,
    }
}

diesel::table! {
    sessions (id) {
        id -> Text,
        cookie -> Text,
        account_id -> Text,
        acquaintance -> Text,
        opened_at -> BigInt,
        seen_at -> BigInt,
        ended_at -> Nullable<BigInt>,
        device -> Nullable<Text>,
        agent -> Nullable<Text>,
        acting_id -> Nullable<Text>,
        acting_proved -> Bool,
        acting_within -> Nullable<Text>,
    }
}

diesel::table! {
    session_clients (session_id, client_id) {
        session_id -> Text,
        client_id -> Text,
        sid -> Text,
    }
}

diesel::table! {
    interactions (id) {
        id -> Text,
        browser -> Text,
        request -> Nullable<Text>,
        page -> Nullable<Text>,
        account_id -> Nullable<Text>,
        refused_id -> Nullable<Text>,
        opened_at -> BigInt,
        expires_at -> BigInt,
        finished_at -> Nullable<BigInt>,
        confirmed_at -> Nullable<BigInt>,
        chosen_id -> Nullable<Text>,
        for_other -> Bool,
    }
}

diesel::table! {
    pushed_requests (hash) {
        hash -> Text,
        client_id -> Text,
        request -> Text,
        pushed_at -> BigInt,
        expires_at -> BigInt,
        kept_until -> BigInt,
        spent_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    otps (id) {
        id -> Text,
        interaction_id -> Text,
        account_id -> Text,
        purpose -> Text,
        code -> Text,
        sent_at -> BigInt,
        expires_at -> BigInt,
        spent_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    grants (id) {
        id -> Text,
        client_id -> Text,
        account_id -> Nullable<Text>,
        sub -> Nullable<Text>,
        session_id -> Nullable<Text>,
        sid -> Nullable<Text>,
        auth_time -> Nullable<BigInt>,
        acr -> Nullable<Text>,
        acquaintance -> Nullable<Text>,
        scope -> Text,
        claims -> Nullable<Text>,
        service -> Nullable<Text>,
        offline -> Bool,
        opened_at -> BigInt,
        revoked_at -> Nullable<BigInt>,
        revoked_reason -> Nullable<Text>,
        resources -> Nullable<Text>,
        transaction_id -> Nullable<Text>,
        actor_id -> Nullable<Text>,
        actor_sub -> Nullable<Text>,
    }
}

diesel::table! {
    transactions (id) {
        id -> Text,
        client_id -> Text,
        reference -> Text,
        account_id -> Text,
        grant_id -> Text,
        details -> Text,
        language -> Text,
        approved_at -> BigInt,
        spent_at -> Nullable<BigInt>,
        spent_by -> Nullable<Text>,
        attempt -> Nullable<Text>,
    }
}

diesel::table! {
    codes (hash) {
        hash -> Text,
        grant_id -> Text,
        client_id -> Text,
        redirect_uri -> Text,
        code_challenge -> Nullable<Text>,
        nonce -> Nullable<Text>,
        issued_at -> BigInt,
        expires_at -> BigInt,
        spent_at -> Nullable<BigInt>,
        failures -> BigInt,
        dpop_jkt -> Nullable<Text>,
    }
}

diesel::table! {
    access_tokens (hash) {
        hash -> Text,
        grant_id -> Text,
        scope -> Text,
        issued_at -> BigInt,
        expires_at -> BigInt,
        revoked_at -> Nullable<BigInt>,
        told -> Nullable<Text>,
        audience -> Nullable<Text>,
        confirmation -> Nullable<Text>,
    }
}

diesel::table! {
    refresh_tokens (hash) {
        hash -> Text,
        grant_id -> Text,
        issued_at -> BigInt,
        expires_at -> BigInt,
        spent_at -> Nullable<BigInt>,
        confirmation -> Nullable<Text>,
    }
}

diesel::table! {
    used (class, value) {
        class -> Text,
        value -> Text,
        expires_at -> BigInt,
    }
}

diesel::table! {
    signing_keys (kid) {
        kid -> Text,
        alg -> Text,
        private -> Text,
        public -> Text,
        published_at -> BigInt,
        use_from -> BigInt,
        retired_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    meta (name) {
        name -> Text,
        value -> Text,
    }
}

diesel::table! {
    trail (id) {
        id -> Text,
        kind -> Text,
        at -> BigInt,
        account_id -> Nullable<Text>,
        client_id -> Nullable<Text>,
        session_id -> Nullable<Text>,
        reference -> Nullable<Text>,
        detail -> Nullable<Text>,
    }
}

diesel::table! {
    messages (id) {
        id -> Text,
        to_index -> Text,
        to_phone -> Text,
        body -> Text,
        at -> BigInt,
    }
}

diesel::table! {
    outbox (id) {
        id -> Text,
        kind -> Text,
        cause -> Text,
        client_id -> Text,
        account_id -> Text,
        sub -> Text,
        sid -> Nullable<Text>,
        attempts -> BigInt,
        next_at -> BigInt,
        expires_at -> BigInt,
    }
}

diesel::table! {
    sign_outs (id) {
        id -> Text,
        session_id -> Text,
        client_id -> Nullable<Text>,
        location -> Nullable<Text>,
        expires_at -> BigInt,
    }
}

diesel::joinable!(eid_grounds -> accounts (account_id));
diesel::joinable!(session_clients -> sessions (session_id));
diesel::joinable!(codes -> grants (grant_id));
diesel::joinable!(access_tokens -> grants (grant_id));
diesel::joinable!(client_origins -> clients (client_id));
diesel::joinable!(client_resources -> clients (client_id));
diesel::joinable!(refresh_tokens -> grants (grant_id));

diesel::allow_tables_to_appear_in_same_query!(accounts, eid_grounds);
diesel::allow_tables_to_appear_in_same_query!(session_clients, sessions);
diesel::allow_tables_to_appear_in_same_query!(codes, access_tokens, refresh_tokens, grants);
diesel::allow_tables_to_appear_in_same_query!(client_origins, clients);
diesel::allow_tables_to_appear_in_same_query!(client_resources, clients);
