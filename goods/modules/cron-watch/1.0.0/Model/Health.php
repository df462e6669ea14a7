<?php

declare(strict_types=1);

namespace Fernhill\CronWatch\Model;

use Magento\Cron\Model\Schedule;
use Magento\Framework\App\ResourceConnection;

/**
 * What cron's own table says about its health. Reads only; the times in that table are UTC.
 */
class Health
{
    public function __construct(private readonly ResourceConnection $resource)
    {
    }

    /** Seconds since a job last finished well; null if the table knows of none. */
    public function secondsSinceSuccess(): ?int
    {
        $connection = $this->resource->getConnection();
        $last = $connection->fetchOne(
            $connection->select()
                ->from($this->table(), ['MAX(finished_at)'])
                ->where('status = ?', Schedule::STATUS_SUCCESS)
        );
        if (!$last) {
            return null;
        }
        return max(0, time() - (new \DateTimeImmutable($last, new \DateTimeZone('UTC')))->getTimestamp());
    }

    /**
     * Jobs by status, of those that Magento still remembers (by default an hour of good and three days of bad ones).
     *
     * @return array<string, int>
     */
    public function counts(): array
    {
        $connection = $this->resource->getConnection();
        $found = $connection->fetchPairs(
            $connection->select()->from($this->table(), ['status', 'COUNT(*)'])->group('status')
        );
        $counts = [];
        foreach ([
            Schedule::STATUS_PENDING,
            Schedule::STATUS_RUNNING,
            Schedule::STATUS_SUCCESS,
            Schedule::STATUS_MISSED,
            Schedule::STATUS_ERROR,
        ] as $status) {
            $counts[$status] = (int)($found[$status] ?? 0);
        }
        return $counts;
    }

    /** Whether a job finished well within the last minutes. Not knowing of any counts as no. */
    public function isAlive(int $minutes): bool
    {
        $seconds = $this->secondsSinceSuccess();
        return $seconds !== null && $seconds <= $minutes * 60;
    }

    private function table(): string
    {
        return $this->resource->getTableName('cron_schedule');
    }
}
