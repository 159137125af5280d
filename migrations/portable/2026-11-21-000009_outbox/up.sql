-- What must still be told to a client, put in the transaction of what it tells of. A server claims a row by moving
-- next_at ahead; a row whose server died is due again by itself.
CREATE TABLE outbox (
    -- The act and the client: told of once.
    id         TEXT   NOT NULL PRIMARY KEY,
    kind       TEXT   NOT NULL CHECK (kind IN ('backchannel_logout')),
    cause      TEXT   NOT NULL,
    client_id  TEXT   NOT NULL,
    account_id TEXT   NOT NULL,
    sub        TEXT   NOT NULL,
    sid        TEXT,
    attempts   BIGINT NOT NULL,
    next_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX outbox_next_at ON outbox (next_at);

-- Sign-outs whose page still has clients to tell through the browser, and where it goes on to.
CREATE TABLE sign_outs (
    id         TEXT   NOT NULL PRIMARY KEY,
    session_id TEXT   NOT NULL,
    client_id  TEXT,
    location   TEXT,
    expires_at BIGINT NOT NULL,
    CHECK ((client_id IS NULL) = (location IS NULL))
);
CREATE INDEX sign_outs_expires_at ON sign_outs (expires_at);
