"""How a model is made: leads in, LeadModel out."""
