"""What a statement is, and how one comes to a verdict."""
