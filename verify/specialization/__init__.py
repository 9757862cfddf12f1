"""Every numbered item of "Student Specialization" (Tian 2019), one file each."""
