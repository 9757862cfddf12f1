"""Two-layer flows in deviations from the teacher, so that nothing has a floor: not the angles, not the loss."""
