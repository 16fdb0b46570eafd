"""HTTP: pages, forms, history and files."""
