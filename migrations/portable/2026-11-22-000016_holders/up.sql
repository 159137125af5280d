-- What the rules ask of a holder beyond the account. A birth date, which may be a year alone, is kept of children and of
-- whoever has a guardian, and of nobody else.
ALTER TABLE accounts ADD COLUMN born TEXT;
ALTER TABLE accounts ADD COLUMN ward BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE accounts ADD COLUMN permit_expires BIGINT;
ALTER TABLE accounts ADD COLUMN passport_expires BIGINT;
ALTER TABLE accounts ADD COLUMN dissolved_at BIGINT;
CREATE INDEX accounts_guardian ON accounts (guardian_id) WHERE guardian_id IS NOT NULL;

-- Somebody else who acts in this session for its account; a guardian within one interaction only.
ALTER TABLE sessions ADD COLUMN acting_id TEXT;
ALTER TABLE sessions ADD COLUMN acting_proved BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE sessions ADD COLUMN acting_within TEXT;
CREATE INDEX sessions_acting ON sessions (acting_id) WHERE acting_id IS NOT NULL AND ended_at IS NULL;

-- For whom the person in this interaction wants to act, and whether they said that it is for somebody else.
ALTER TABLE interactions ADD COLUMN chosen_id TEXT;
ALTER TABLE interactions ADD COLUMN for_other BOOLEAN NOT NULL DEFAULT FALSE;

ALTER TABLE grants ADD COLUMN actor_id TEXT;
ALTER TABLE grants ADD COLUMN actor_sub TEXT;
CREATE INDEX grants_acting ON grants (actor_id) WHERE actor_id IS NOT NULL AND revoked_at IS NULL;

ALTER TABLE consents ADD COLUMN actor_id TEXT;

-- Who may act for an organisation. A delegate does so under the legal representative who bound them, and no longer.
CREATE TABLE representations (
    organisation_id TEXT   NOT NULL REFERENCES accounts (id),
    person_id       TEXT   NOT NULL REFERENCES accounts (id),
    role            TEXT   NOT NULL CHECK (role IN ('legal', 'delegate')),
    bound_by        TEXT   REFERENCES accounts (id),
    from_at         BIGINT NOT NULL,
    until_at        BIGINT,
    PRIMARY KEY (organisation_id, person_id),
    CHECK ((role = 'delegate') = (bound_by IS NOT NULL))
);
CREATE INDEX representations_by_person ON representations (person_id);

-- A child's or ward's use of the account that waits for the guardian's word: one interaction, one answer, used once.
CREATE TABLE confirmations (
    id             TEXT   NOT NULL PRIMARY KEY,
    interaction_id TEXT   NOT NULL,
    ward_id        TEXT   NOT NULL REFERENCES accounts (id),
    guardian_id    TEXT   NOT NULL REFERENCES accounts (id),
    client_id      TEXT   NOT NULL REFERENCES clients (id),
    -- What the ward proved when it asked.
    acquaintance   TEXT   NOT NULL,
    network        TEXT   NOT NULL,
    asked_at       BIGINT NOT NULL,
    expires_at     BIGINT NOT NULL,
    answer         TEXT CHECK (answer IN ('allowed', 'refused')),
    answered_at    BIGINT,
    spent_at       BIGINT
);
CREATE INDEX confirmations_interaction ON confirmations (interaction_id);
CREATE INDEX confirmations_waiting ON confirmations (guardian_id) WHERE answer IS NULL;
CREATE INDEX confirmations_expires_at ON confirmations (expires_at);
