<?php

declare(strict_types=1);

namespace Fernhill\OrderNotes\Cron;

use Fernhill\OrderNotes\Model\ResourceModel\Note as NoteResource;
use Magento\Framework\App\Config\ScopeConfigInterface;

/**
 * Deletes the notes that are older than the shop wants to keep them.
 */
class ForgetOldNotes
{
    public const DAYS = 'fernhill_order_notes/retention/days';

    public function __construct(
        private readonly ScopeConfigInterface $config,
        private readonly NoteResource $noteResource
    ) {
    }

    public function execute(): void
    {
        $days = (int)$this->config->getValue(self::DAYS);
        if ($days > 0) {
            $this->noteResource->deleteBefore(new \DateTimeImmutable("-$days days"));
        }
    }
}
