"""Free text: what in it says who somebody is."""
