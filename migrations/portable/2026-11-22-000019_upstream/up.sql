-- Which person at another provider is which account here. One subject there is one account, and one account has at most
-- one subject there. Subjects are kept as keyed digests: they are looked up and never shown.
CREATE TABLE upstream_links (
    id          TEXT   NOT NULL PRIMARY KEY,
    account_id  TEXT   NOT NULL REFERENCES accounts (id),
    issuer      TEXT   NOT NULL,
    subject     TEXT   NOT NULL,
    linked_at   BIGINT NOT NULL,
    UNIQUE (issuer, subject),
    UNIQUE (issuer, account_id)
);
CREATE INDEX upstream_links_by_account ON upstream_links (account_id);

-- A browser that was sent to another provider and is awaited back, once.
CREATE TABLE upstream_trips (
    state          TEXT    NOT NULL PRIMARY KEY,
    upstream       TEXT    NOT NULL,
    interaction_id TEXT    NOT NULL,
    browser        TEXT    NOT NULL,
    linking        BOOLEAN NOT NULL,
    begun_at       BIGINT  NOT NULL,
    expires_at     BIGINT  NOT NULL,
    spent_at       BIGINT
);
CREATE INDEX upstream_trips_by_expiry ON upstream_trips (expires_at);

-- Somebody known to another provider and linked to nobody here, who may prove to be one of our holders.
CREATE TABLE upstream_proofs (
    id             TEXT   NOT NULL PRIMARY KEY,
    upstream       TEXT   NOT NULL,
    issuer         TEXT   NOT NULL,
    subject        TEXT   NOT NULL,
    browser        TEXT   NOT NULL,
    -- Where the holder proves the account here, and where they came from.
    interaction_id TEXT   NOT NULL,
    origin_id      TEXT   NOT NULL,
    account_id     TEXT,
    proved_at      BIGINT NOT NULL,
    expires_at     BIGINT NOT NULL,
    spent_at       BIGINT
);
CREATE INDEX upstream_proofs_by_expiry ON upstream_proofs (expires_at);

-- Sessions that rest on a link: they end with it, and when the other provider says so.
CREATE TABLE upstream_sessions (
    session_id TEXT NOT NULL PRIMARY KEY,
    link_id    TEXT NOT NULL,
    sid        TEXT
);
CREATE INDEX upstream_sessions_by_link ON upstream_sessions (link_id);
