"""ALL-USE: a trading agent's engine on real daily prices, the reference application of Manometer."""
