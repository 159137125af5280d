DROP TABLE used;
DROP TABLE refresh_tokens;
DROP TABLE access_tokens;
DROP TABLE codes;
DROP TABLE grants;
