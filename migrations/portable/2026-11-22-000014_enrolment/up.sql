-- Requests for an account (ND69 Art 10-14). What the applicant states is sealed; a refused request is kept like the rest.
CREATE TABLE enrolments (
    id              TEXT     NOT NULL PRIMARY KEY,
    holder          TEXT     NOT NULL CHECK (holder IN ('citizen', 'foreigner', 'organisation')),
    level           SMALLINT CHECK (level IN (1, 2)),
    channel         TEXT     NOT NULL CHECK (channel IN ('online', 'desk', 'import')),
    state           TEXT     NOT NULL CHECK (state IN ('draft', 'submitted', 'checking', 'rejected', 'granted', 'notified',
        'activated', 'activation_overdue', 'activated_via_hotline')),
    reason          TEXT,
    person_index    TEXT     NOT NULL,
    person          TEXT     NOT NULL,
    particulars     TEXT     NOT NULL,
    phone           TEXT,
    phone_index     TEXT,
    phone_proved_at BIGINT,
    account_id      TEXT     REFERENCES accounts (id),
    officer_id      TEXT     REFERENCES accounts (id),
    created_at      BIGINT   NOT NULL,
    submitted_at    BIGINT,
    decide_by       BIGINT,
    decided_at      BIGINT,
    notified_at     BIGINT,
    activate_by     BIGINT,
    -- When a worker looks again, and how often one did.
    due_at          BIGINT,
    tries           BIGINT   NOT NULL,
    version         BIGINT   NOT NULL,
    CHECK ((state = 'rejected') = (reason IS NOT NULL))
);
CREATE INDEX enrolments_person ON enrolments (person_index, created_at);
CREATE INDEX enrolments_due ON enrolments (due_at);
CREATE INDEX enrolments_account ON enrolments (account_id, created_at);
CREATE INDEX enrolments_state ON enrolments (channel, state, decide_by);

-- References to evidence, never a picture, a print or a template.
CREATE TABLE enrolment_evidence (
    enrolment_id TEXT   NOT NULL REFERENCES enrolments (id),
    proof        TEXT   NOT NULL CHECK (proof IN ('in_person', 'card_seen', 'face_match', 'fingerprint_match',
        'register_match', 'guardian_present', 'form')),
    reference    TEXT   NOT NULL,
    recorded_by  TEXT   NOT NULL,
    recorded_at  BIGINT NOT NULL,
    PRIMARY KEY (enrolment_id, proof)
);

-- Codes sent to a phone outside an interaction: one is open per place and purpose.
CREATE TABLE phone_codes (
    id         TEXT   NOT NULL PRIMARY KEY,
    -- What the code is bound to: an enrolment, an activation in one browser.
    place      TEXT   NOT NULL,
    purpose    TEXT   NOT NULL,
    phone      TEXT   NOT NULL,
    code       TEXT   NOT NULL,
    sent_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    spent_at   BIGINT
);
CREATE UNIQUE INDEX phone_codes_open ON phone_codes (place, purpose) WHERE spent_at IS NULL;
CREATE INDEX phone_codes_sent ON phone_codes (phone, sent_at);
CREATE INDEX phone_codes_expires ON phone_codes (expires_at);
