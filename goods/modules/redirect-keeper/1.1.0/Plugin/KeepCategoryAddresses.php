<?php

declare(strict_types=1);

namespace Fernhill\RedirectKeeper\Plugin;

use Fernhill\RedirectKeeper\Model\CategoryAddresses;
use Fernhill\RedirectKeeper\Model\Destination;
use Fernhill\RedirectKeeper\Model\Keeper;
use Magento\Catalog\Api\CategoryRepositoryInterface;
use Magento\Catalog\Api\Data\CategoryInterface;
use Magento\Catalog\Model\Category;
use Magento\CatalogUrlRewrite\Model\ProductUrlRewriteGenerator;
use Magento\UrlRewrite\Model\UrlRewrite;

/**
 * On the repository, not on the resource below it: Magento's own plugin there deletes the addresses after the
 * category, and ours must come after that.
 */
class KeepCategoryAddresses
{
    public function __construct(
        private readonly CategoryAddresses $addresses,
        private readonly Destination $destination,
        private readonly Keeper $keeper
    ) {
    }

    public function aroundDelete(
        CategoryRepositoryInterface $subject,
        callable $proceed,
        CategoryInterface $category
    ): bool {
        if (!$category instanceof Category) {
            return (bool)$proceed($category);
        }
        $gone = $this->addresses->goneWith($category);
        $ancestors = array_slice(array_map('intval', explode('/', (string)$category->getPath())), 0, -1);
        $why = 'Kept by Redirect Keeper: category ' . $category->getId();
        $result = (bool)$proceed($category);
        foreach ($gone as $address) {
            $this->keeper->keep($address, $this->targetOf($address, $ancestors), $why);
        }
        return $result;
    }

    /** A product's address below the category leads to the product itself; the category's own to its parent. */
    private function targetOf(UrlRewrite $address, array $ancestors): ?string
    {
        $storeId = (int)$address->getStoreId();
        $product = $address->getEntityType() === ProductUrlRewriteGenerator::ENTITY_TYPE
            ? $this->addresses->plainPathOfProduct((int)$address->getEntityId(), $storeId)
            : null;
        return $product ?? $this->destination->amongCategories($ancestors, $storeId);
    }
}
