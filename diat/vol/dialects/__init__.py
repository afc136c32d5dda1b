"""How things announce themselves and speak: pure translators, no input or output of their own."""
