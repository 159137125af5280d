-- Requests pushed by clients, waiting for the browser that brings their reference. A row that is gone counts as spent.
CREATE TABLE pushed_requests (
    hash       TEXT   NOT NULL PRIMARY KEY,
    client_id  TEXT   NOT NULL,
    request    TEXT   NOT NULL,
    pushed_at  BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    -- At first its expiry; as long as the interaction it was opened in, once it was.
    kept_until BIGINT NOT NULL,
    spent_at   BIGINT
);
CREATE INDEX pushed_requests_kept_until ON pushed_requests (kept_until);
