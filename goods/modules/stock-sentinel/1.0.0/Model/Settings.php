<?php

declare(strict_types=1);

namespace Fernhill\StockSentinel\Model;

use Magento\Framework\App\Config\ScopeConfigInterface;

/**
 * What the shop has set under Stores > Configuration > Fernhill > Stock Sentinel.
 */
class Settings
{
    private const PATH = 'fernhill_stock_sentinel/digest/';

    public function __construct(private readonly ScopeConfigInterface $config)
    {
    }

    public function isEnabled(): bool
    {
        return $this->config->isSetFlag(self::PATH . 'enabled');
    }

    /** @return string[] e-mail addresses; lines that are none are left out */
    public function recipients(): array
    {
        $lines = preg_split('/\R/', (string)$this->config->getValue(self::PATH . 'recipients'));
        $addresses = array_filter(
            array_map('trim', $lines),
            static fn (string $line): bool => filter_var($line, FILTER_VALIDATE_EMAIL) !== false
        );
        return array_values(array_unique($addresses));
    }

    /** Code of a sender identity of Magento, such as "general". */
    public function sender(): string
    {
        return (string)$this->config->getValue(self::PATH . 'sender');
    }

    public function threshold(): float
    {
        return (float)$this->config->getValue(self::PATH . 'threshold');
    }
}
