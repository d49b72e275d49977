"""Zone 1, identifiable: files, headers, images, record extracts, quarantine."""
