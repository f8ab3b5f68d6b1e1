"""Cross-entropy, Dice and marginal losses; the joint loss of the paper."""
