-- What a token is bound to: "jkt:" and a key's thumbprint, "x5t:" and a certificate's, or both with a space between.
ALTER TABLE access_tokens ADD COLUMN confirmation TEXT;
ALTER TABLE refresh_tokens ADD COLUMN confirmation TEXT;
-- The key a code may be redeemed with, when the request named one.
ALTER TABLE codes ADD COLUMN dpop_jkt TEXT;
