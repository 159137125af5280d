ALTER TABLE accounts DROP COLUMN phone_counts_from;
ALTER TABLE accounts DROP COLUMN reproofed_at;
ALTER TABLE accounts DROP COLUMN recovered_at;
DROP TABLE changes;
DROP TABLE recoveries;
