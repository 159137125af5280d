DROP TABLE devices;
DROP TABLE throttles;
DROP TABLE account_claims;
DROP TABLE eid_grounds;
DROP TABLE accounts;
