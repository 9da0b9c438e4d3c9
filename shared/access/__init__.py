"""Who may use the service over HTTP: API keys, what each may do, and whose images they are for."""
