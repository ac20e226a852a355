"""How good a model is: metrics, decision, explanation, profile, figures."""
