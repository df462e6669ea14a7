<?php

declare(strict_types=1);

namespace Fernhill\CronWatch\Cron;

use Magento\Framework\App\Filesystem\DirectoryList;
use Magento\Framework\Filesystem;

/**
 * Writes the time into var/fernhill/cron-heartbeat every five minutes, so that a monitor that knows files but not
 * Magento can look at the file's age.
 */
class Heartbeat
{
    public const FILE = 'fernhill/cron-heartbeat';

    public function __construct(private readonly Filesystem $filesystem)
    {
    }

    public function execute(): void
    {
        $this->filesystem->getDirectoryWrite(DirectoryList::VAR_DIR)->writeFile(self::FILE, gmdate('c') . "\n");
    }
}
