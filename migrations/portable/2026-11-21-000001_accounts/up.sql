CREATE TABLE accounts (
    id            TEXT     NOT NULL PRIMARY KEY,
    -- Keyed digest of the person number: how a holder is found again.
    person_index  TEXT     NOT NULL UNIQUE,
    person        TEXT     NOT NULL,
    holder        TEXT     NOT NULL CHECK (holder IN ('citizen', 'foreigner', 'organisation')),
    level         SMALLINT CHECK (level IN (1, 2)),
    state         TEXT     NOT NULL CHECK (state IN ('granted', 'activated')),
    eid_issued_at BIGINT,
    eid_version   BIGINT   NOT NULL,
    card_expires  BIGINT,
    guardian_id   TEXT     REFERENCES accounts (id),
    password_hash TEXT,
    phone         TEXT,
    phone_index   TEXT,
    created_at    BIGINT   NOT NULL,
    updated_at    BIGINT   NOT NULL
);

-- The e-ID is locked while any row is here (LCC Art 34).
CREATE TABLE eid_grounds (
    account_id TEXT   NOT NULL REFERENCES accounts (id),
    ground     TEXT   NOT NULL CHECK (ground IN ('a', 'b', 'c', 'd', 'đ')),
    authority  TEXT   NOT NULL,
    opened_at  BIGINT NOT NULL,
    PRIMARY KEY (account_id, ground)
);

CREATE TABLE account_claims (
    account_id  TEXT   NOT NULL REFERENCES accounts (id),
    claim       TEXT   NOT NULL,
    value       TEXT   NOT NULL,
    source      TEXT   NOT NULL,
    recorded_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, claim)
);

-- Failure counters: a security fact, so here and not in the short memory.
CREATE TABLE throttles (
    key      TEXT   NOT NULL PRIMARY KEY,
    count    BIGINT NOT NULL,
    first_at BIGINT NOT NULL,
    last_at  BIGINT NOT NULL
);
CREATE INDEX throttles_last_at ON throttles (last_at);

CREATE TABLE devices (
    cookie        TEXT   NOT NULL,
    account_id    TEXT   NOT NULL REFERENCES accounts (id),
    remembered_at BIGINT NOT NULL,
    PRIMARY KEY (cookie, account_id)
);
