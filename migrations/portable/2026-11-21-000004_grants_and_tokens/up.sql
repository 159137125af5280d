CREATE TABLE grants (
    id             TEXT    NOT NULL PRIMARY KEY,
    client_id      TEXT    NOT NULL,
    -- All seven of the holder's columns, or none: a grant of the client itself.
    account_id     TEXT,
    sub            TEXT,
    session_id     TEXT,
    sid            TEXT,
    auth_time      BIGINT,
    acr            TEXT,
    acquaintance   TEXT,
    scope          TEXT    NOT NULL,
    claims         TEXT,
    service        TEXT,
    offline        BOOLEAN NOT NULL,
    opened_at      BIGINT  NOT NULL,
    revoked_at     BIGINT,
    revoked_reason TEXT,
    CHECK ((account_id IS NULL) = (sub IS NULL)),
    CHECK ((account_id IS NULL) = (session_id IS NULL))
);
CREATE INDEX grants_live ON grants (account_id) WHERE account_id IS NOT NULL AND revoked_at IS NULL;

CREATE TABLE codes (
    hash           TEXT   NOT NULL PRIMARY KEY,
    grant_id       TEXT   NOT NULL,
    client_id      TEXT   NOT NULL,
    redirect_uri   TEXT   NOT NULL,
    code_challenge TEXT,
    nonce          TEXT,
    issued_at      BIGINT NOT NULL,
    expires_at     BIGINT NOT NULL,
    spent_at       BIGINT,
    failures       BIGINT NOT NULL
);
CREATE INDEX codes_expires_at ON codes (expires_at);

CREATE TABLE access_tokens (
    hash       TEXT   NOT NULL PRIMARY KEY,
    grant_id   TEXT   NOT NULL,
    scope      TEXT   NOT NULL,
    issued_at  BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT,
    -- A digest of the names of the claims it was last told.
    told       TEXT
);
CREATE INDEX access_tokens_expires_at ON access_tokens (expires_at);

CREATE TABLE refresh_tokens (
    hash       TEXT   NOT NULL PRIMARY KEY,
    grant_id   TEXT   NOT NULL,
    issued_at  BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    spent_at   BIGINT
);
CREATE INDEX refresh_tokens_expires_at ON refresh_tokens (expires_at);

-- Values that may be seen once: assertion identifiers. The class keeps kinds apart.
CREATE TABLE used (
    class      TEXT   NOT NULL,
    value      TEXT   NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (class, value)
);
CREATE INDEX used_expires_at ON used (expires_at);
