"""One deep network as matrices, and its identities."""
