"""Option: segment leads by clustering them."""
