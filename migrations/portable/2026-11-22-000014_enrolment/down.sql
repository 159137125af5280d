DROP TABLE phone_codes;
DROP TABLE enrolment_evidence;
DROP TABLE enrolments;
