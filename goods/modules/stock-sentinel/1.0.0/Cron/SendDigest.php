<?php

declare(strict_types=1);

namespace Fernhill\StockSentinel\Cron;

use Fernhill\StockSentinel\Model\Digest;
use Fernhill\StockSentinel\Model\LowStock;
use Fernhill\StockSentinel\Model\Settings;

/**
 * Sends the digest. No letter if nothing is low: a letter always means something.
 */
class SendDigest
{
    public function __construct(
        private readonly Settings $settings,
        private readonly LowStock $lowStock,
        private readonly Digest $digest
    ) {
    }

    public function execute(): void
    {
        if (!$this->settings->isEnabled() || !$this->settings->recipients()) {
            return;
        }
        $rows = $this->lowStock->below($this->settings->threshold());
        if ($rows) {
            $this->digest->send($rows);
        }
    }
}
