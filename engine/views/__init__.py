"""What the engine shows of processes, tasks and decisions: frozen, and made for people and programs outside."""
