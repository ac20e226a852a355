"""Choose the decision threshold, the grades and the calls to make."""
