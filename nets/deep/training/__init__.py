"""Training of deep ensembles beside their teachers: data, steps, the plan of a run, the run, and its records."""
