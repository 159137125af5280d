DROP TABLE transactions;
ALTER TABLE grants DROP COLUMN transaction_id;
ALTER TABLE interactions DROP COLUMN confirmed_at;
