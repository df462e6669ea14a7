<?php

declare(strict_types=1);

namespace Fernhill\RedirectKeeper\Model;

use Magento\CatalogUrlRewrite\Model\CategoryUrlRewriteGenerator;
use Magento\CatalogUrlRewrite\Model\ProductUrlRewriteGenerator;
use Magento\UrlRewrite\Model\ResourceModel\UrlRewriteCollectionFactory;
use Magento\UrlRewrite\Model\UrlRewrite;

/**
 * Reads the table url_rewrite as it stands. Not by UrlFinderInterface: depending on area and settings, that one also
 * invents rows, or leaves out those with a category.
 */
class Addresses
{
    public function __construct(private readonly UrlRewriteCollectionFactory $collections)
    {
    }

    /** @return UrlRewrite[] all addresses of a product: live ones and old redirects, with and without category */
    public function ofProduct(int $productId): array
    {
        return $this->find(['entity_type' => ProductUrlRewriteGenerator::ENTITY_TYPE, 'entity_id' => $productId]);
    }

    /**
     * @param int[] $categoryIds
     * @return UrlRewrite[] the live addresses of these categories in a store
     */
    public function ofCategories(array $categoryIds, int $storeId): array
    {
        return $categoryIds ? $this->find([
            'entity_type' => CategoryUrlRewriteGenerator::ENTITY_TYPE,
            'entity_id' => ['in' => $categoryIds],
            'store_id' => $storeId,
            'redirect_type' => 0,
        ]) : [];
    }

    /** @return UrlRewrite[] */
    protected function find(array $conditions): array
    {
        $collection = $this->collections->create();
        foreach ($conditions as $column => $condition) {
            $collection->addFieldToFilter($column, $condition);
        }
        return array_values($collection->getItems());
    }
}
