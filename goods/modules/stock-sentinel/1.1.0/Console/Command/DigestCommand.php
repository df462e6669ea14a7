<?php

declare(strict_types=1);

namespace Fernhill\StockSentinel\Console\Command;

use Fernhill\StockSentinel\Model\Digest;
use Fernhill\StockSentinel\Model\LowStock;
use Fernhill\StockSentinel\Model\Settings;
use Magento\Framework\App\Area;
use Magento\Framework\App\State;
use Symfony\Component\Console\Command\Command;
use Symfony\Component\Console\Helper\Table;
use Symfony\Component\Console\Input\InputInterface;
use Symfony\Component\Console\Input\InputOption;
use Symfony\Component\Console\Output\OutputInterface;

/**
 * Shows the low stock and sends the digest at once. Exit code 0; 1 if there is nobody to send it to.
 */
class DigestCommand extends Command
{
    public function __construct(
        private readonly State $state,
        private readonly Settings $settings,
        private readonly LowStock $lowStock,
        private readonly Digest $digest
    ) {
        parent::__construct();
    }

    protected function configure(): void
    {
        $this->setName('fernhill:stock:digest')
            ->setDescription('Lists the products that run low and sends the digest')
            ->addOption('dry-run', null, InputOption::VALUE_NONE, 'List only, send nothing');
    }

    protected function execute(InputInterface $input, OutputInterface $output): int
    {
        return (int)$this->state->emulateAreaCode(
            Area::AREA_CRONTAB,
            fn (): int => $this->listAndSend($output, !$input->getOption('dry-run'))
        );
    }

    private function listAndSend(OutputInterface $output, bool $send): int
    {
        $rows = $this->lowStock->below($this->settings->threshold());
        if (!$rows) {
            $output->writeln('Nothing runs low.');
            return Command::SUCCESS;
        }
        (new Table($output))->setHeaders(['SKU', 'Product', 'Quantity'])->setRows(array_map('array_values', $rows))->render();
        if (!$send) {
            return Command::SUCCESS;
        }
        if (!$this->settings->recipients()) {
            $output->writeln('No recipients are set, so nothing was sent.');
            return Command::FAILURE;
        }
        $this->digest->send($rows);
        $output->writeln('Sent.');
        return Command::SUCCESS;
    }
}
