"""Verification of answers, which follow the thought (`answers.split_thought`, `thinking`).

- Mathematics (`maths`): the last box, in one spelling (`latex`, `units`). What the text leaves open
  (`answers.decide`) is read by `math_values` and compared by `math_equal` in other processes.
- Multiple choice (`choice`): the last letter that the response settles on.
- Programs (`programs`): the block that is the program (`blocks`) runs in `repro.sandbox`.
"""
