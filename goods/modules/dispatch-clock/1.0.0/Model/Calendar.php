<?php

declare(strict_types=1);

namespace Fernhill\DispatchClock\Model;

use DateTimeImmutable;
use InvalidArgumentException;

/**
 * On which days parcels leave, and until when an order still goes with today's. Knows nothing of Magento.
 */
class Calendar
{
    /** How far to look ahead before giving up: a house that is closed for a year sends nothing. */
    private const HORIZON_DAYS = 366;

    private int $hour;
    private int $minute;

    /**
     * @param string $cutoff as 14:00
     * @param int[] $weekdays 0 is Sunday, as in Magento's list of weekdays
     * @param string[] $closed dates as 2026-12-24, or 12-25 for every year
     * @throws InvalidArgumentException if the hour is not one
     */
    public function __construct(string $cutoff, private readonly array $weekdays, private readonly array $closed)
    {
        if (!preg_match('/^([01]?\d|2[0-3]):([0-5]\d)$/', trim($cutoff), $parts)) {
            throw new InvalidArgumentException('The last hour must be written as 14:00.');
        }
        $this->hour = (int)$parts[1];
        $this->minute = (int)$parts[2];
    }

    /**
     * The next moments until which an order goes out the same day.
     *
     * @param DateTimeImmutable $now in the shop's time zone
     * @return DateTimeImmutable[] at most $count, in order, all later than $now
     */
    public function next(DateTimeImmutable $now, int $count): array
    {
        $moments = [];
        for ($ahead = 0; $ahead <= self::HORIZON_DAYS && count($moments) < $count; $ahead++) {
            $moment = $now->modify("+$ahead days")->setTime($this->hour, $this->minute);
            if ($moment > $now && $this->isOpen($moment)) {
                $moments[] = $moment;
            }
        }
        return $moments;
    }

    private function isOpen(DateTimeImmutable $day): bool
    {
        return in_array((int)$day->format('w'), $this->weekdays, true)
            && !in_array($day->format('Y-m-d'), $this->closed, true)
            && !in_array($day->format('m-d'), $this->closed, true);
    }
}
