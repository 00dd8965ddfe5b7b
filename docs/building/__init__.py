"""What builds the documentation site beside Sphinx: generated pages, pages from other folders, and checks."""
