-- Passkeys and authenticator apps. What a sign-in must know of them before it asks stands in the account's own row.
ALTER TABLE accounts ADD COLUMN user_handle TEXT;
ALTER TABLE accounts ADD COLUMN passkey TEXT CHECK (passkey IN ('bound', 'synced'));
ALTER TABLE accounts ADD COLUMN has_totp BOOLEAN NOT NULL DEFAULT FALSE;
CREATE UNIQUE INDEX accounts_by_user_handle ON accounts (user_handle);
-- A credential belongs to one account, whoever else presents it (WebAuthn §7.1).
CREATE TABLE passkeys (
    id         TEXT    NOT NULL PRIMARY KEY,
    account_id TEXT    NOT NULL REFERENCES accounts (id),
    credential TEXT    NOT NULL UNIQUE,
    kept       TEXT    NOT NULL,
    label      TEXT    NOT NULL,
    synced     BOOLEAN NOT NULL,
    sign_count BIGINT  NOT NULL,
    created_at BIGINT  NOT NULL,
    used_at    BIGINT
);
CREATE INDEX passkeys_by_account ON passkeys (account_id);
-- A challenge waits for its one answer. `subject` says whose it is: an interaction, an account, or both.
CREATE TABLE passkey_ceremonies (
    id         TEXT   NOT NULL PRIMARY KEY,
    browser    TEXT   NOT NULL,
    purpose    TEXT   NOT NULL,
    subject    TEXT   NOT NULL,
    state      TEXT   NOT NULL,
    expires_at BIGINT NOT NULL,
    spent_at   BIGINT
);
CREATE INDEX passkey_ceremonies_by_expiry ON passkey_ceremonies (expires_at);
-- One app counts per account; others wait for their first code.
CREATE TABLE totps (
    id           TEXT   NOT NULL PRIMARY KEY,
    account_id   TEXT   NOT NULL REFERENCES accounts (id),
    browser      TEXT   NOT NULL,
    secret       TEXT   NOT NULL,
    last_step    BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    confirmed_at BIGINT
);
CREATE UNIQUE INDEX totps_one_counts ON totps (account_id) WHERE confirmed_at IS NOT NULL;
CREATE INDEX totps_by_account ON totps (account_id);
