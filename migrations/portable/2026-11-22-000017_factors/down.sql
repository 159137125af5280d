DROP TABLE totps;
DROP TABLE passkey_ceremonies;
DROP TABLE passkeys;
DROP INDEX accounts_by_user_handle;
ALTER TABLE accounts DROP COLUMN has_totp;
ALTER TABLE accounts DROP COLUMN passkey;
ALTER TABLE accounts DROP COLUMN user_handle;
