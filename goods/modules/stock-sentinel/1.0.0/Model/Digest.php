<?php

declare(strict_types=1);

namespace Fernhill\StockSentinel\Model;

use Magento\Backend\App\Area\FrontNameResolver;
use Magento\Framework\Escaper;
use Magento\Framework\Mail\Template\TransportBuilder;
use Magento\Store\Model\Store;

/**
 * The letter. It lists products only: nothing about customers or orders is in it.
 */
class Digest
{
    public function __construct(
        private readonly Settings $settings,
        private readonly TransportBuilder $transportBuilder,
        private readonly Escaper $escaper
    ) {
    }

    /**
     * Send one letter to all recipients.
     *
     * @param array<int, array{sku: string, name: string, quantity: float}> $rows
     * @throws \Magento\Framework\Exception\MailException if the mail server refuses it
     */
    public function send(array $rows): void
    {
        $this->transportBuilder
            ->setTemplateIdentifier('fernhill_stock_sentinel_digest')
            ->setTemplateOptions(['area' => FrontNameResolver::AREA_CODE, 'store' => Store::DEFAULT_STORE_ID])
            ->setTemplateVars(['count' => count($rows), 'rows' => $this->tableRows($rows)])
            ->setFromByScope($this->settings->sender());
        foreach ($this->settings->recipients() as $address) {
            $this->transportBuilder->addTo($address);
        }
        $this->transportBuilder->getTransport()->sendMessage();
    }

    private function tableRows(array $rows): string
    {
        $html = '';
        foreach ($rows as $row) {
            $html .= sprintf(
                '<tr><td>%s</td><td>%s</td><td align="right">%s</td></tr>',
                $this->escaper->escapeHtml($row['sku']),
                $this->escaper->escapeHtml($row['name']),
                rtrim(rtrim(number_format($row['quantity'], 4, '.', ''), '0'), '.')
            );
        }
        return $html;
    }
}
