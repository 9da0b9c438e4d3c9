"""Many uploads in one request, and what becomes of each as it is known."""
