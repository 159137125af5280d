//! The journeys: each reads, decides, records and answers.
