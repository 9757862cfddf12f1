"""What is kept of a run: its fields, the labelled data set of them, and files."""
