"""How sure a number is: bootstrap, paired tests, ranks, pooled values."""
