"""Zone 2: pseudonyms in place of identity, columns that the schema allows."""
