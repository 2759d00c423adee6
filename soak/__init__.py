"""Hours at full load, with everything going wrong around the filter: no false verdict, and memory that stays flat."""
