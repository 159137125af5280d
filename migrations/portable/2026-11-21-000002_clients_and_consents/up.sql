CREATE TABLE clients (
    id         TEXT   NOT NULL PRIMARY KEY,
    metadata   TEXT   NOT NULL,
    status     TEXT   NOT NULL CHECK (status IN ('live', 'suspended', 'closed')),
    secret     TEXT,
    version    BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- Where browsers may call the token endpoints from: the redirect origins of public clients.
CREATE TABLE client_origins (
    client_id TEXT NOT NULL REFERENCES clients (id),
    origin    TEXT NOT NULL,
    PRIMARY KEY (client_id, origin)
);
CREATE INDEX client_origins_origin ON client_origins (origin);

-- One random subject per (account, sector), never derived, never reused.
CREATE TABLE subjects (
    account_id TEXT NOT NULL REFERENCES accounts (id),
    sector     TEXT NOT NULL,
    sub        TEXT NOT NULL,
    PRIMARY KEY (account_id, sector),
    UNIQUE (sector, sub)
);

CREATE TABLE consents (
    id                   TEXT     NOT NULL PRIMARY KEY,
    account_id           TEXT     NOT NULL REFERENCES accounts (id),
    client_id            TEXT     NOT NULL REFERENCES clients (id),
    purpose              TEXT     NOT NULL,
    asked                TEXT     NOT NULL,
    granted              TEXT     NOT NULL,
    decided_at           BIGINT   NOT NULL,
    legal_basis          TEXT     NOT NULL CHECK (legal_basis IN ('consent', 'law')),
    text_hash            TEXT     NOT NULL,
    language             TEXT     NOT NULL,
    authentication_level SMALLINT NOT NULL CHECK (authentication_level BETWEEN 1 AND 4),
    ended_at             BIGINT,
    ended_by             TEXT     CHECK (ended_by IN ('superseded', 'withdrawn')),
    CHECK ((ended_at IS NULL) = (ended_by IS NULL))
);
-- One live decision per purpose; what it replaced stays as evidence.
CREATE UNIQUE INDEX consents_live ON consents (account_id, client_id, purpose) WHERE ended_at IS NULL;
