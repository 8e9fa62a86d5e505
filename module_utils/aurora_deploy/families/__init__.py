"""One module per kind of resource: how to read it in bulk, create it, change it and remove it."""
