-- When a code sent for the interaction was entered in it: a transaction is approved with no other.
ALTER TABLE interactions ADD COLUMN confirmed_at BIGINT;

ALTER TABLE grants ADD COLUMN transaction_id TEXT;

-- What holders approved. Kept like grants; it names accounts and clients without a foreign key: it outlives them.
CREATE TABLE transactions (
    id          TEXT   NOT NULL PRIMARY KEY,
    client_id   TEXT   NOT NULL,
    -- A keyed digest of the client's own identifier, which is approved once.
    reference   TEXT   NOT NULL,
    account_id  TEXT   NOT NULL,
    grant_id    TEXT   NOT NULL,
    details     TEXT   NOT NULL,
    language    TEXT   NOT NULL CHECK (language IN ('vi', 'en')),
    approved_at BIGINT NOT NULL,
    spent_at    BIGINT,
    spent_by    TEXT,
    attempt     TEXT,
    UNIQUE (client_id, reference),
    CHECK ((spent_at IS NULL) = (spent_by IS NULL))
);
CREATE INDEX transactions_account ON transactions (account_id, approved_at);
