"""What is measured of responses: overthinking behaviours, and intervals for any metric."""
