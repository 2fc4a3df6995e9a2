"""Clinical records: their fields, one value, what is plausible, the table, the statistics of the study."""
