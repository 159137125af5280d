-- Which device the holder's app runs on: a fact every sign-in asks for, so it stands on the account's own row.
ALTER TABLE accounts ADD COLUMN app_device TEXT;

CREATE TABLE app_devices (
    id         TEXT   NOT NULL PRIMARY KEY,
    account_id TEXT   NOT NULL REFERENCES accounts (id),
    name       TEXT   NOT NULL,
    key        TEXT   NOT NULL,
    bound_at   BIGINT NOT NULL,
    used_at    BIGINT,
    removed_at BIGINT
);
CREATE UNIQUE INDEX app_devices_bound ON app_devices (account_id) WHERE removed_at IS NULL;

-- Codes by which an app is bound, each once.
CREATE TABLE app_bindings (
    code       TEXT   NOT NULL PRIMARY KEY,
    account_id TEXT   NOT NULL REFERENCES accounts (id),
    opened_at  BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    spent_at   BIGINT
);
CREATE INDEX app_bindings_open ON app_bindings (account_id) WHERE spent_at IS NULL;
CREATE INDEX app_bindings_expires_at ON app_bindings (expires_at);

-- What a QR code on a sign-in page stands for. One is live per interaction.
CREATE TABLE app_tickets (
    id             TEXT     NOT NULL PRIMARY KEY,
    ticket         TEXT     NOT NULL UNIQUE,
    interaction_id TEXT     NOT NULL,
    screen         TEXT     NOT NULL,
    account_id     TEXT     REFERENCES accounts (id),
    device_id      TEXT     REFERENCES app_devices (id),
    challenge      TEXT,
    contested      BOOLEAN  NOT NULL,
    tries          SMALLINT NOT NULL,
    factors        TEXT,
    made_at        BIGINT   NOT NULL,
    expires_at     BIGINT   NOT NULL,
    ended          TEXT     CHECK (ended IN ('superseded', 'declined', 'guessed', 'cancelled', 'taken'))
);
CREATE UNIQUE INDEX app_tickets_live ON app_tickets (interaction_id) WHERE ended IS NULL;
CREATE INDEX app_tickets_of_account ON app_tickets (account_id) WHERE account_id IS NOT NULL AND ended IS NULL;
CREATE INDEX app_tickets_expires_at ON app_tickets (expires_at);
