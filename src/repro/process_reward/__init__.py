"""RePro's process reward (RePro, arXiv 2512.01925): tensors in, tensors out.

``segments`` finds the cut points of a response, ``one_pass`` scores the answer at each of them,
``scores`` turns the objective into magnitude and stability, ``rules`` turn what is ``measured`` of
a response into the rewards of its cut points, RePro's and those of its controls and rivals,
``reward`` normalises rewards, and ``settings`` names everything in which the two variants differ.
"""
