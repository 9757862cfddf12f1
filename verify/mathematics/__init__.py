"""What statements share: families of instances, bounds, precise evaluations, constants, rates, effects, studies."""
