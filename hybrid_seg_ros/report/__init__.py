"""What an evaluation found, as one document: JSON in and out, a page for people, tables, comparisons."""
