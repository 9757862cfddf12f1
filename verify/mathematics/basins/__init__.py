"""What the statements on basins share: students at a given distance from their teachers, and the slowest of them."""
