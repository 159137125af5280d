-- What a device and a session are recognised by on the holder's own page. Rows from before have neither.
ALTER TABLE devices ADD COLUMN agent TEXT;
ALTER TABLE devices ADD COLUMN first_seen_at BIGINT;
CREATE INDEX devices_of_account ON devices (account_id);
ALTER TABLE sessions ADD COLUMN device TEXT;
ALTER TABLE sessions ADD COLUMN agent TEXT;

-- What the holder reported as not their own doing. One open case per thing pointed at.
CREATE TABLE cases (
    id         TEXT   NOT NULL PRIMARY KEY,
    account_id TEXT   NOT NULL REFERENCES accounts (id),
    about      TEXT   NOT NULL CHECK (about IN ('session', 'release', 'device')),
    subject    TEXT   NOT NULL,
    opened_at  BIGINT NOT NULL,
    closed_at  BIGINT
);
CREATE INDEX cases_of_account ON cases (account_id, opened_at);
CREATE UNIQUE INDEX cases_open ON cases (account_id, about, subject) WHERE closed_at IS NULL;

CREATE TABLE case_steps (
    case_id TEXT   NOT NULL REFERENCES cases (id),
    step    TEXT   NOT NULL CHECK (step IN ('opened', 'looked_at', 'closed')),
    at      BIGINT NOT NULL,
    by_whom TEXT,
    note    TEXT,
    PRIMARY KEY (case_id, step)
);

-- Messages to holders that were not handed over yet.
CREATE TABLE holder_notices (
    id         TEXT   NOT NULL PRIMARY KEY,
    account_id TEXT   NOT NULL REFERENCES accounts (id),
    news       TEXT   NOT NULL,
    of_what    TEXT   NOT NULL,
    attempts   BIGINT NOT NULL,
    next_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX holder_notices_next_at ON holder_notices (next_at);

-- Every event of a register is applied once, whoever reads it and however often it comes.
CREATE TABLE register_events (
    id          TEXT   NOT NULL PRIMARY KEY,
    kind        TEXT   NOT NULL,
    account_id  TEXT   REFERENCES accounts (id),
    happened_at BIGINT NOT NULL,
    applied_at  BIGINT NOT NULL,
    outcome     TEXT   NOT NULL
);
CREATE INDEX register_events_of_account ON register_events (account_id, happened_at);

-- How far each feed was read.
CREATE TABLE register_feeds (
    name      TEXT   NOT NULL PRIMARY KEY,
    cursor    TEXT   NOT NULL,
    read_at   BIGINT NOT NULL,
    newest_at BIGINT
);
