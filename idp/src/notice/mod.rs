//! Notices to holders: SMS.
