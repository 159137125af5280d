CREATE TABLE signing_keys (
    kid          TEXT   NOT NULL PRIMARY KEY,
    alg          TEXT   NOT NULL CHECK (alg IN ('ES256', 'PS256', 'RS256', 'EdDSA')),
    private      TEXT   NOT NULL,
    public       TEXT   NOT NULL,
    published_at BIGINT NOT NULL,
    use_from     BIGINT NOT NULL,
    retired_at   BIGINT
);

CREATE TABLE meta (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

-- Appended, never changed. Names accounts and clients without a foreign key: it outlives them.
CREATE TABLE trail (
    id         TEXT   NOT NULL PRIMARY KEY,
    kind       TEXT   NOT NULL,
    at         BIGINT NOT NULL,
    account_id TEXT,
    client_id  TEXT,
    session_id TEXT,
    reference  TEXT,
    detail     TEXT
);
CREATE INDEX trail_account ON trail (account_id) WHERE account_id IS NOT NULL;

-- The sandbox phone's inbox; empty wherever messages really leave.
CREATE TABLE messages (
    id       TEXT   NOT NULL PRIMARY KEY,
    to_index TEXT   NOT NULL,
    to_phone TEXT   NOT NULL,
    body     TEXT   NOT NULL,
    at       BIGINT NOT NULL
);
CREATE INDEX messages_to ON messages (to_index, at);
