"""Any argument to any public name: a result that is right, or one clear refusal."""
