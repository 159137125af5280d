ALTER TABLE codes DROP COLUMN dpop_jkt;
ALTER TABLE refresh_tokens DROP COLUMN confirmation;
ALTER TABLE access_tokens DROP COLUMN confirmation;
