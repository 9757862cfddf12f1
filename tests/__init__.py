"""The tests of the whole house; each room's tests are in the folder of its name."""
