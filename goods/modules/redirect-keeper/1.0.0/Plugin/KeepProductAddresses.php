<?php

declare(strict_types=1);

namespace Fernhill\RedirectKeeper\Plugin;

use Fernhill\RedirectKeeper\Model\Addresses;
use Fernhill\RedirectKeeper\Model\Destination;
use Fernhill\RedirectKeeper\Model\Keeper;
use Magento\Catalog\Model\Product;
use Magento\Catalog\Model\ResourceModel\Product as ProductResource;

/**
 * Around, not an event: Magento deletes the addresses in an observer of its own, so they must be read before the
 * deletion begins, and can be written again only when it is over.
 */
class KeepProductAddresses
{
    public function __construct(
        private readonly Addresses $addresses,
        private readonly Destination $destination,
        private readonly Keeper $keeper
    ) {
    }

    /**
     * @param Product|mixed $product
     * @return ProductResource
     */
    public function aroundDelete(ProductResource $subject, callable $proceed, $product)
    {
        if (!$product instanceof Product || !$product->getId()) {
            return $proceed($product);
        }
        $gone = $this->addresses->ofProduct((int)$product->getId());
        $categoryIds = array_map('intval', $product->getCategoryIds());
        $why = 'Kept by Redirect Keeper: product ' . $product->getSku();
        $result = $proceed($product);
        foreach ($gone as $address) {
            $target = $this->destination->amongCategories($categoryIds, (int)$address->getStoreId());
            $this->keeper->keep($address, $target, $why);
        }
        return $result;
    }
}
