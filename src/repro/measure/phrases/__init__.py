"""The phrases by which the behaviour rule knows backtracking, verification and hesitation."""
