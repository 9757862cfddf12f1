"""Work shared by processes that end with the program that started them, and whose death is a result, not a crash."""
