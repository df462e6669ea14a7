<?php

declare(strict_types=1);

namespace Fernhill\RedirectKeeper\Model;

use Magento\Framework\App\Config\ScopeConfigInterface;
use Magento\Store\Model\ScopeInterface;

/**
 * What the shop has set under Stores > Configuration > Fernhill > Redirect Keeper, for each store view.
 */
class Settings
{
    private const PATH = 'fernhill_redirect_keeper/keep/';

    public function __construct(private readonly ScopeConfigInterface $config)
    {
    }

    public function isEnabled(int $storeId): bool
    {
        return $this->config->isSetFlag(self::PATH . 'enabled', ScopeInterface::SCOPE_STORE, $storeId);
    }

    /** 301 or 302. */
    public function redirectType(int $storeId): int
    {
        return (int)$this->config->getValue(self::PATH . 'type', ScopeInterface::SCOPE_STORE, $storeId);
    }

    public function fallsBackToHome(int $storeId): bool
    {
        return $this->config->isSetFlag(self::PATH . 'home', ScopeInterface::SCOPE_STORE, $storeId);
    }
}
