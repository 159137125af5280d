-- Leave to register clients, by a token shown once (RFC 7591 §1.2).
CREATE TABLE invitations (
    id         TEXT   NOT NULL PRIMARY KEY,
    token      TEXT   NOT NULL UNIQUE,
    policy     TEXT   NOT NULL,
    uses_left  BIGINT NOT NULL CHECK (uses_left >= 0),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT
);

-- Clients that registered themselves and may manage their own registration (RFC 7592).
CREATE TABLE registrations (
    client_id     TEXT   NOT NULL PRIMARY KEY REFERENCES clients (id),
    invitation_id TEXT   NOT NULL REFERENCES invitations (id),
    token         TEXT   NOT NULL UNIQUE,
    registered_at BIGINT NOT NULL
);
