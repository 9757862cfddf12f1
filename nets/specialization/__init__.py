"""The two-layer experiments of "Student Specialization"."""
