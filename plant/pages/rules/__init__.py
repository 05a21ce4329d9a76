"""Rules: the list of them, and the editor that shows what a rule would have done."""
