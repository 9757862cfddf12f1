"""Every numbered item of "Luck Matters" (Tian, Jiang, Gong, Morcos 2019), one file each."""
