<?php

declare(strict_types=1);

namespace Fernhill\CronWatch\Console\Command;

use Fernhill\CronWatch\Model\Health;
use Symfony\Component\Console\Command\Command;
use Symfony\Component\Console\Input\InputInterface;
use Symfony\Component\Console\Input\InputOption;
use Symfony\Component\Console\Output\OutputInterface;

/**
 * For people and monitors. Exit code 0: cron is alive; 2: it is not (critical, as Nagios plugins have it);
 * 3: the question was wrong.
 */
class StatusCommand extends Command
{
    private const ALIVE = 0;
    private const SILENT = 2;
    private const UNKNOWN = 3;

    public function __construct(private readonly Health $health)
    {
        parent::__construct();
    }

    protected function configure(): void
    {
        $this->setName('fernhill:cron:status')
            ->setDescription('Says whether cron runs; exit code 2 if it has fallen silent')
            ->addOption('minutes', 'm', InputOption::VALUE_REQUIRED, 'How long it may be silent', '15')
            ->addOption('json', null, InputOption::VALUE_NONE, 'Answer in JSON');
    }

    protected function execute(InputInterface $input, OutputInterface $output): int
    {
        $minutes = filter_var($input->getOption('minutes'), FILTER_VALIDATE_INT, ['options' => ['min_range' => 1]]);
        if ($minutes === false) {
            $output->writeln('<error>--minutes takes a whole number from 1 on.</error>');
            return self::UNKNOWN;
        }
        $alive = $this->health->isAlive($minutes);
        $seconds = $this->health->secondsSinceSuccess();
        $counts = $this->health->counts();
        if ($input->getOption('json')) {
            $answer = ['alive' => $alive, 'seconds_since_success' => $seconds, 'jobs' => $counts];
            $output->writeln(json_encode($answer, JSON_THROW_ON_ERROR));
        } else {
            $output->writeln($alive ? '<info>Cron is alive.</info>' : '<error>Cron is silent.</error>');
            $output->writeln($seconds === null ? 'No finished job is known.' : "Last finished job: $seconds seconds ago.");
            foreach ($counts as $status => $count) {
                $output->writeln(sprintf('%8s  %d', $status, $count));
            }
        }
        return $alive ? self::ALIVE : self::SILENT;
    }
}
