-- Setting a forgotten password anew, one row a try. What was proved is recorded here and nowhere else, so that a proof
-- given in one try is none in another; a row of an unknown number looks like any other and can prove nothing.
CREATE TABLE recoveries (
    id               TEXT   NOT NULL PRIMARY KEY,
    -- Digest of the cookie of the browser that began it.
    browser          TEXT   NOT NULL UNIQUE,
    person_index     TEXT   NOT NULL,
    account_id       TEXT   REFERENCES accounts (id),
    code             TEXT,
    code_expires_at  BIGINT,
    phone_proved_at  BIGINT,
    second           TEXT   CHECK (second IN ('known_device', 'card')),
    second_proved_at BIGINT,
    ready_at         BIGINT,
    stop_code        TEXT,
    began_at         BIGINT NOT NULL,
    expires_at       BIGINT NOT NULL,
    ended_at         BIGINT,
    ending           TEXT   CHECK (ending IN ('done', 'stopped', 'given_up', 'overtaken')),
    CHECK ((ended_at IS NULL) = (ending IS NULL)),
    CHECK (second IS NULL OR phone_proved_at IS NOT NULL),
    CHECK ((second IS NULL) = (ready_at IS NULL)),
    CHECK (ending IS NULL OR ending <> 'done' OR ready_at IS NOT NULL)
);
CREATE INDEX recoveries_open ON recoveries (account_id) WHERE account_id IS NOT NULL AND ended_at IS NULL;
CREATE INDEX recoveries_expires_at ON recoveries (expires_at);

-- A change of password or phone by its signed-in holder, under way.
CREATE TABLE changes (
    id         TEXT   NOT NULL PRIMARY KEY,
    account_id TEXT   NOT NULL REFERENCES accounts (id),
    session_id TEXT   NOT NULL REFERENCES sessions (id),
    kind       TEXT   NOT NULL CHECK (kind IN ('password', 'phone')),
    -- The hash of the new password, or the new phone, sealed.
    value      TEXT   NOT NULL,
    owner_proved_at BIGINT,
    phone_proved_at BIGINT,
    began_at   BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ended_at   BIGINT
);
CREATE INDEX changes_open ON changes (account_id) WHERE ended_at IS NULL;
CREATE INDEX changes_expires_at ON changes (expires_at);

-- Facts the levels of an account are derived from.
ALTER TABLE accounts ADD COLUMN recovered_at BIGINT;
ALTER TABLE accounts ADD COLUMN reproofed_at BIGINT;
ALTER TABLE accounts ADD COLUMN phone_counts_from BIGINT;
