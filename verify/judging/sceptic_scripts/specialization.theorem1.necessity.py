"""Theorem 1 on one fixed partition: gradients that cancel in every batch and vanish at no sample."""

gradients = [1.0, -1.0, 2.0, -2.0, 0.5, -0.5]  # one number for each sample
batches = [(0, 1), (2, 3), (4, 5)]  # every batch of the run
largest_batch = max(abs(gradients[i] + gradients[j]) for i, j in batches)
largest_sample = max(abs(g) for g in gradients)
print(f"largest batch gradient {largest_batch}, largest gradient of a sample {largest_sample}; claimed 0")
raise SystemExit(0 if largest_batch == 0 and largest_sample > 0 else 1)
