"""Model folders: read and checked before they are used, and written atomically."""
