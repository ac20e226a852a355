"""Explain predictions: SHAP values, reasons in words, what-if."""
