//! The envelope of a user decryption, both ends.
