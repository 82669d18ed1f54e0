"""Where figures come from: a folder a subject, a file a library."""
