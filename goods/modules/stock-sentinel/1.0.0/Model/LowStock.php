<?php

declare(strict_types=1);

namespace Fernhill\StockSentinel\Model;

use Magento\Catalog\Model\Product\Attribute\Source\Status;
use Magento\Catalog\Model\ResourceModel\Product\Collection;
use Magento\Catalog\Model\ResourceModel\Product\CollectionFactory;
use Magento\CatalogInventory\Api\StockConfigurationInterface;

/**
 * Finds the enabled products of the default stock whose quantity is below a number.
 */
class LowStock
{
    public const LIMIT = 200;

    public function __construct(
        private readonly CollectionFactory $products,
        private readonly StockConfigurationInterface $stockConfiguration
    ) {
    }

    /**
     * The emptiest first, at most LIMIT.
     *
     * @return array<int, array{sku: string, name: string, quantity: float}>
     */
    public function below(float $threshold): array
    {
        $products = $this->countedProducts();
        $products->getSelect()->where('stock.qty < ?', $threshold);
        return $this->rows($products);
    }

    /** Enabled products of types that have a quantity, where Magento manages the stock. */
    private function countedProducts(): Collection
    {
        $products = $this->products->create();
        $products->addAttributeToSelect('name')
            ->addAttributeToFilter('status', Status::STATUS_ENABLED)
            ->addAttributeToFilter('type_id', ['in' => array_keys($this->stockConfiguration->getIsQtyTypeIds(true))]);
        $products->getSelect()
            ->join(
                ['stock' => $products->getTable('cataloginventory_stock_item')],
                'stock.product_id = e.entity_id AND stock.stock_id = 1',
                ['low_quantity' => 'stock.qty']
            )
            ->where(
                'IF(stock.use_config_manage_stock = 1, ?, stock.manage_stock) = 1',
                (int)$this->stockConfiguration->getManageStock()
            )
            ->order('stock.qty ASC')
            ->limit(self::LIMIT);
        return $products;
    }

    private function rows(Collection $products): array
    {
        $rows = [];
        foreach ($products as $product) {
            $rows[] = [
                'sku' => (string)$product->getSku(),
                'name' => (string)$product->getName(),
                'quantity' => (float)$product->getData('low_quantity'),
            ];
        }
        return $rows;
    }
}
