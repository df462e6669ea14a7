<?php

declare(strict_types=1);

namespace Fernhill\RedirectKeeper\Model;

use Magento\Catalog\Model\Category;
use Magento\CatalogUrlRewrite\Model\Category\ChildrenCategoriesProvider;
use Magento\CatalogUrlRewrite\Model\CategoryUrlRewriteGenerator;
use Magento\CatalogUrlRewrite\Model\ProductUrlRewriteGenerator;
use Magento\Framework\Serialize\Serializer\Json;
use Magento\UrlRewrite\Model\ResourceModel\UrlRewriteCollectionFactory;
use Magento\UrlRewrite\Model\UrlRewrite;

/**
 * The addresses that end with a category: its own, those of the categories in it, and those of products below them.
 */
class CategoryAddresses extends Addresses
{
    public function __construct(
        UrlRewriteCollectionFactory $collections,
        private readonly ChildrenCategoriesProvider $children,
        private readonly Json $json
    ) {
        parent::__construct($collections);
    }

    /** @return UrlRewrite[] */
    public function goneWith(Category $category): array
    {
        $ids = $this->children->getChildrenIds($category, true);
        $ids[] = $category->getId();
        // Magento marks a product's address below a category by this very text in its column "metadata".
        $marks = array_map(fn ($id): string => $this->json->serialize(['category_id' => (string)$id]), $ids);
        return array_merge(
            $this->find(['entity_type' => CategoryUrlRewriteGenerator::ENTITY_TYPE, 'entity_id' => ['in' => $ids]]),
            $this->find(['entity_type' => ProductUrlRewriteGenerator::ENTITY_TYPE, 'metadata' => ['in' => $marks]])
        );
    }

    /** A product's own address, without any category; null if it has none in this store. */
    public function plainPathOfProduct(int $productId, int $storeId): ?string
    {
        foreach ($this->ofProduct($productId) as $address) {
            $isLive = !(int)$address->getRedirectType();
            if ($isLive && (int)$address->getStoreId() === $storeId && !$address->getMetadata()) {
                return (string)$address->getRequestPath();
            }
        }
        return null;
    }
}
