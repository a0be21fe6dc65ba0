//! A node made of canned answers.
