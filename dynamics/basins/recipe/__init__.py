"""How the stored tables of Theorems A'' and D are made and checked, in ball arithmetic (python-flint)."""
