<?php

declare(strict_types=1);

namespace Fernhill\ShopFacts\Console\Command;

use Magento\Framework\App\ProductMetadataInterface;
use Magento\Framework\App\State;
use Magento\Framework\Module\ModuleListInterface;
use Symfony\Component\Console\Command\Command;
use Symfony\Component\Console\Input\InputInterface;
use Symfony\Component\Console\Output\OutputInterface;

/**
 * What support asks first, on one screen. Versions and names of modules; no address, no key, no customer.
 */
class FactsCommand extends Command
{
    public function __construct(
        private readonly ProductMetadataInterface $magento,
        private readonly ModuleListInterface $modules,
        private readonly State $state
    ) {
        parent::__construct();
    }

    protected function configure(): void
    {
        $this->setName('fernhill:facts')
            ->setDescription('Writes down versions, mode and foreign modules, for a question to support');
    }

    protected function execute(InputInterface $input, OutputInterface $output): int
    {
        $output->writeln(sprintf('Magento  %s %s', $this->magento->getEdition(), $this->magento->getVersion()));
        $output->writeln(sprintf('PHP      %s', PHP_VERSION));
        $output->writeln(sprintf('Mode     %s', $this->state->getMode()));
        foreach ($this->foreign() as $module) {
            $output->writeln(sprintf('Module   %s', $module));
        }
        return Command::SUCCESS;
    }

    /** @return string[] the enabled modules that are not Magento's own */
    private function foreign(): array
    {
        $names = array_filter($this->modules->getNames(), fn (string $name) => !str_starts_with($name, 'Magento_'));
        sort($names);
        return $names;
    }
}
