CREATE TABLE sessions (
    id           TEXT   NOT NULL PRIMARY KEY,
    cookie       TEXT   NOT NULL UNIQUE,
    account_id   TEXT   NOT NULL REFERENCES accounts (id),
    acquaintance TEXT   NOT NULL,
    opened_at    BIGINT NOT NULL,
    seen_at      BIGINT NOT NULL,
    ended_at     BIGINT
);
CREATE INDEX sessions_live ON sessions (account_id) WHERE ended_at IS NULL;

-- The session as each client knows it.
CREATE TABLE session_clients (
    session_id TEXT NOT NULL REFERENCES sessions (id),
    client_id  TEXT NOT NULL REFERENCES clients (id),
    sid        TEXT NOT NULL,
    PRIMARY KEY (session_id, client_id),
    UNIQUE (client_id, sid)
);

CREATE TABLE interactions (
    id          TEXT   NOT NULL PRIMARY KEY,
    browser     TEXT   NOT NULL,
    -- Exactly one destination: a client's request, or one of our own pages.
    request     TEXT,
    page        TEXT,
    account_id  TEXT   REFERENCES accounts (id),
    refused_id  TEXT   REFERENCES accounts (id),
    opened_at   BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    finished_at BIGINT,
    CHECK ((request IS NULL) <> (page IS NULL))
);
CREATE INDEX interactions_open ON interactions (account_id) WHERE account_id IS NOT NULL AND finished_at IS NULL;
CREATE INDEX interactions_expires_at ON interactions (expires_at);

-- Kept a while after the interaction is gone, since sends are counted per day.
CREATE TABLE otps (
    id             TEXT   NOT NULL PRIMARY KEY,
    interaction_id TEXT   NOT NULL,
    account_id     TEXT   NOT NULL REFERENCES accounts (id),
    purpose        TEXT   NOT NULL,
    code           TEXT   NOT NULL,
    sent_at        BIGINT NOT NULL,
    expires_at     BIGINT NOT NULL,
    spent_at       BIGINT
);
CREATE UNIQUE INDEX otps_open ON otps (interaction_id, purpose) WHERE spent_at IS NULL;
CREATE INDEX otps_sent ON otps (account_id, sent_at);
CREATE INDEX otps_expires_at ON otps (expires_at);
