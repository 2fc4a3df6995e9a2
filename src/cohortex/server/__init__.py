"""The study in the browser and over the network: pages, the JSON API, live events, and the workers behind them."""
"""The study server: the JSON API, the pages that use it and nothing else, their words and their looks."""
