-- These rows begin with the millisecond they were minted in, so their primary key finds the oldest; what each sign-in paid
-- for an index on its end is saved.
DROP INDEX codes_expires_at;
DROP INDEX access_tokens_expires_at;
DROP INDEX pushed_requests_kept_until;
