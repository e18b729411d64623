"""The demo: a township, a month of its field work, and stand-ins for what is outside."""
