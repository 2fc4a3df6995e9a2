"""Steps, their keys and results, and the two pipelines built from them; knows no database."""
