"""The study in the browser and over the network: pages, the JSON API, live events, and the workers behind them."""
