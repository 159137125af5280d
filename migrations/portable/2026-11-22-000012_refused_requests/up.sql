-- Requests that were refused, for the team of the client that made them: kept a week, and never the legal trail.
CREATE TABLE refused_requests (
    id         TEXT   NOT NULL PRIMARY KEY,
    client_id  TEXT   NOT NULL REFERENCES clients (id),
    reference  TEXT   NOT NULL,
    at         BIGINT NOT NULL,
    endpoint   TEXT   NOT NULL CHECK (endpoint IN
        ('authorize', 'par', 'token', 'introspect', 'revoke', 'userinfo', 'end_session', 'register')),
    error      TEXT   NOT NULL,
    told       TEXT   NOT NULL,
    reason     TEXT,
    clause     TEXT   NOT NULL,
    -- Names, and values only where those are harmless.
    parameters TEXT   NOT NULL,
    -- Later refusals of the same kind that were only counted.
    repeated   BIGINT NOT NULL
);
CREATE INDEX refused_requests_client ON refused_requests (client_id, id);
CREATE INDEX refused_requests_client_at ON refused_requests (client_id, at);
CREATE INDEX refused_requests_at ON refused_requests (at);
