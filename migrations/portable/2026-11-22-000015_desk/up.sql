-- What authorities ask to be locked or unlocked (LCC Art 34(1)đ). Whoever received a request never decides it: the row
-- itself refuses.
CREATE TABLE authority_requests (
    id           TEXT   NOT NULL PRIMARY KEY,
    account_id   TEXT   NOT NULL REFERENCES accounts (id),
    wish         TEXT   NOT NULL CHECK (wish IN ('lock', 'unlock')),
    authority    TEXT   NOT NULL,
    paper        TEXT   NOT NULL,
    stage        TEXT   NOT NULL CHECK (stage IN ('received', 'forwarded', 'accepted', 'refused')),
    received_by  TEXT   NOT NULL REFERENCES accounts (id),
    received_at  BIGINT NOT NULL,
    forward_by   BIGINT NOT NULL,
    forwarded_by TEXT   REFERENCES accounts (id),
    forwarded_at BIGINT,
    decide_by    BIGINT NOT NULL,
    decided_by   TEXT   REFERENCES accounts (id),
    decided_at   BIGINT,
    reason       TEXT,
    CHECK (decided_by IS NULL OR decided_by <> received_by),
    CHECK (stage <> 'refused' OR reason IS NOT NULL)
);
CREATE INDEX authority_requests_stage ON authority_requests (stage, decide_by);
CREATE INDEX authority_requests_account ON authority_requests (account_id);

-- Acts of officers by the key each came with: the same key again is the same result and no second effect.
CREATE TABLE officer_acts (
    officer_id TEXT   NOT NULL REFERENCES accounts (id),
    key        TEXT   NOT NULL,
    act        TEXT   NOT NULL,
    -- Keyed digest of all that was asked.
    content    TEXT   NOT NULL,
    result     TEXT,
    at         BIGINT NOT NULL,
    PRIMARY KEY (officer_id, key)
);
CREATE INDEX officer_acts_at ON officer_acts (at);
