"""What a study does unasked: checks uploads, processes visits, compares them, releases templates, counts."""
