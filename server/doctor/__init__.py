"""The doctor: examines an installation from outside the service, and says in plain words what is wrong and what to do."""
