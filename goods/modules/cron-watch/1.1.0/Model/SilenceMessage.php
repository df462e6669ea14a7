<?php

declare(strict_types=1);

namespace Fernhill\CronWatch\Model;

use Magento\Framework\App\Config\ScopeConfigInterface;
use Magento\Framework\AuthorizationInterface;
use Magento\Framework\Notification\MessageInterface;

/**
 * The line at the top of the admin when cron has been silent for too long.
 */
class SilenceMessage implements MessageInterface
{
    public const MINUTES = 'fernhill_cron_watch/message/minutes';

    public function __construct(
        private readonly Health $health,
        private readonly ScopeConfigInterface $config,
        private readonly AuthorizationInterface $authorization
    ) {
    }

    public function getIdentity()
    {
        return 'fernhill_cron_watch_silence';
    }

    public function isDisplayed()
    {
        $minutes = (int)$this->config->getValue(self::MINUTES);
        return $minutes > 0
            && $this->authorization->isAllowed('Fernhill_CronWatch::message')
            && !$this->health->isAlive($minutes);
    }

    public function getText()
    {
        $seconds = $this->health->secondsSinceSuccess();
        if ($seconds === null) {
            return __('Cron has not finished any job that Magento knows of. Is it installed on the server?');
        }
        return __('Cron has not finished a job for %1 minutes. Mails, indexes and price rules wait.', intdiv($seconds, 60));
    }

    public function getSeverity()
    {
        return self::SEVERITY_CRITICAL;
    }
}
