"""The judge: rendered cluster configurations before the real aws-parallelcluster, with a simulated account."""
