<?php

declare(strict_types=1);

namespace Fernhill\DispatchClock\ViewModel;

use Fernhill\DispatchClock\Model\Calendar;
use InvalidArgumentException;
use Magento\Framework\App\Config\ScopeConfigInterface;
use Magento\Framework\Locale\ResolverInterface;
use Magento\Framework\Stdlib\DateTime\TimezoneInterface;
use Magento\Framework\View\Element\Block\ArgumentInterface;
use Magento\Store\Model\ScopeInterface;

/**
 * What the line says. The page may lie in a cache for days, so it carries the next moments and the browser picks.
 */
class Clock implements ArgumentInterface
{
    private const PATH = 'fernhill_dispatch_clock/hours/';
    private const MOMENTS = 14;

    public function __construct(
        private readonly ScopeConfigInterface $config,
        private readonly TimezoneInterface $timezone,
        private readonly ResolverInterface $locale
    ) {
    }

    /**
     * For the script: each moment as seconds since 1970 with the day in words, and the texts.
     *
     * @return array{moments: array, timeZone: string, today: string, later: string}|null
     *         null: switched off, wrongly set, or closed for a year; show nothing
     */
    public function data(): ?array
    {
        if (!$this->config->isSetFlag(self::PATH . 'enabled', ScopeInterface::SCOPE_STORE)) {
            return null;
        }
        try {
            $calendar = $this->calendar();
        } catch (InvalidArgumentException) {
            return null;
        }
        $zone = new \DateTimeZone($this->timezone->getConfigTimezone(ScopeInterface::SCOPE_STORE));
        $moments = array_map(
            fn (\DateTimeImmutable $moment): array => $this->inWords($moment),
            $calendar->next(new \DateTimeImmutable('now', $zone), self::MOMENTS)
        );
        return $moments === [] ? null : [
            'moments' => $moments,
            'timeZone' => $zone->getName(),
            'today' => (string)__('Order before %1 and it leaves today.'),
            'later' => (string)__('Order now and it leaves on %1.'),
        ];
    }

    private function calendar(): Calendar
    {
        return new Calendar(
            $this->setting('cutoff'),
            array_map('intval', array_filter(explode(',', $this->setting('weekdays')), 'is_numeric')),
            array_filter(array_map('trim', preg_split('/\R/', $this->setting('closed'))))
        );
    }

    private function inWords(\DateTimeImmutable $moment): array
    {
        $words = fn (string $pattern): string => \IntlDateFormatter::formatObject(
            \DateTime::createFromImmutable($moment),
            $pattern,
            $this->locale->getLocale()
        );
        return [
            'until' => $moment->getTimestamp(),
            'date' => $moment->format('Y-m-d'),
            'hour' => $words('HH:mm'),
            'day' => $words('EEEE, d MMMM'),
        ];
    }

    private function setting(string $name): string
    {
        return (string)$this->config->getValue(self::PATH . $name, ScopeInterface::SCOPE_STORE);
    }
}
