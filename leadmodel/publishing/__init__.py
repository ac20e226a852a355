"""Save and open model folders: files, trust checks, configuration, card."""
