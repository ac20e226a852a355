"""The web application: middleware, sign-in, limits, metrics."""
