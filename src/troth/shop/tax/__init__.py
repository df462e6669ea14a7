"""VAT on digital goods, as pure functions: which tax a sale has, and how a price is divided into net and tax."""
