CREATE INDEX codes_expires_at ON codes (expires_at);
CREATE INDEX access_tokens_expires_at ON access_tokens (expires_at);
CREATE INDEX pushed_requests_kept_until ON pushed_requests (kept_until);
